import pytest
import torch

from likewise.errors import InputError
from likewise.models.pooling import (
    pool,
    pool_cls,
    pool_last,
    pool_max,
    pool_mean,
    pool_mean_sqrt,
    pool_weighted_mean,
)
from likewise.text.packed import pack

PACKED = pack([[1, 2], [3]])
HIDDEN = torch.tensor([[1.0, 4.0], [3.0, 0.0], [5.0, 6.0]])


@pytest.mark.parametrize(
    ("function", "first"),
    [
        (pool_cls, [1.0, 4.0]),
        (pool_last, [3.0, 0.0]),
        (pool_max, [3.0, 4.0]),
        (pool_mean, [2.0, 2.0]),
        (pool_mean_sqrt, [4 / 2**0.5, 4 / 2**0.5]),
        (pool_weighted_mean, [(1 + 2 * 3) / 3, 4 / 3]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_pooling_does_what_its_name_says(function, first: list[float]):
    expected = torch.tensor([first, [5.0, 6.0]])
    torch.testing.assert_close(function(HIDDEN, PACKED), expected)


def test_several_are_joined_in_the_order_given():
    both = pool(HIDDEN, PACKED, ("max", "cls"))
    assert torch.equal(both, torch.cat([pool_max(HIDDEN, PACKED), pool_cls(HIDDEN, PACKED)], 1))


def test_an_unknown_one_is_answered_with_the_nearest():
    with pytest.raises(InputError, match='no pooling "means"') as caught:
        pool(HIDDEN, PACKED, ("means",))
    assert "mean" in caught.value.mend
