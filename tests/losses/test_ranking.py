import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from likewise.losses.ranking import rank_pairs

few = st.lists(st.tuples(st.floats(-5, 5), st.integers(0, 3)), min_size=1, max_size=8)


@settings(deadline=None)
@given(few)
def test_it_is_the_sum_over_pairs_of_unequal_scores(rows):
    similarities, scores = (torch.tensor(column) for column in zip(*rows, strict=True))
    total = sum(
        math.exp(lower - higher) for higher, s in rows for lower, t in rows if s > t
    )  # fmt: skip
    loss = rank_pairs(similarities.double(), scores).item()
    assert loss == pytest.approx(math.log1p(total), rel=1e-5)


def test_equal_scores_teach_nothing():
    similarities = torch.randn(5, requires_grad=True)
    loss = rank_pairs(similarities, torch.ones(5))
    loss.backward()
    assert loss.item() == 0
    assert not similarities.grad.any()
