import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likewise.data.scales import infer_range, parse_range
from likewise.errors import InputError


@pytest.mark.parametrize(
    ("scores", "scale"),
    [
        ([0, 0.3, 1], (0, 1)),
        ([-0.2, 0.9], (-1, 1)),
        ([1, 3.2, 5], (1, 5)),
        ([1.2, 4.8], (0, 5)),
        ([0, 3.8], (0, 5)),
        ([2, 9], (0, 10)),
        ([2, 11], (0, 100)),
        ([-3, 250], (-3, 250)),
    ],
)
def test_the_narrowest_usual_scale_is_taken(scores, scale):
    assert infer_range(np.array(scores, dtype=float)) == scale


@given(st.lists(st.floats(-1e6, 1e6), min_size=1))
def test_the_scale_holds_every_score(scores):
    low, high = infer_range(np.array(scores))
    assert low <= min(scores)
    assert max(scores) <= high


def test_a_range_is_two_numbers():
    assert parse_range("0,5") == parse_range("0:5") == parse_range(" 0 , 5 ") == (0, 5)
    assert parse_range("-1,1") == (-1, 1)


@pytest.mark.parametrize("text", ["5", "5,0", "a,b", "0,1,2", "", "1,1", "nan,1"])
def test_another_text_is_no_range(text):
    with pytest.raises(InputError, match="LOW,HIGH"):
        parse_range(text)
