import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likewise.text.batches import batches_by_tokens

some_lengths = st.lists(st.integers(1, 40), max_size=60).map(np.array)
a_budget = st.integers(1, 100)


@given(some_lengths, a_budget)
def test_every_text_is_in_exactly_one_batch(lengths, budget: int):
    batches = batches_by_tokens(lengths.astype(np.int64), budget)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    assert all(len(batch) for batch in batches)


@given(some_lengths, a_budget)
def test_a_batch_is_over_the_budget_only_with_one_text_alone(lengths, budget: int):
    for batch in batches_by_tokens(lengths.astype(np.int64), budget):
        assert len(batch) == 1 or lengths[batch].sum() <= budget


@given(some_lengths, a_budget)
def test_the_longest_texts_come_first(lengths, budget: int):
    batches = batches_by_tokens(lengths.astype(np.int64), budget)
    flat = [int(lengths[i]) for batch in batches for i in batch]
    assert flat == sorted(flat, reverse=True)


@given(some_lengths, a_budget)
def test_no_batch_has_room_for_the_first_text_of_the_next(lengths, budget: int):
    batches = batches_by_tokens(lengths.astype(np.int64), budget)
    for one, following in itertools.pairwise(batches):
        assert lengths[one].sum() + lengths[following[0]] > budget


def test_texts_of_one_length_stay_in_order():
    batches = batches_by_tokens(np.array([3, 3, 3, 3]), 6)
    assert [batch.tolist() for batch in batches] == [[0, 1], [2, 3]]


@pytest.mark.parametrize("budget", [1, 1000])
def test_no_texts_make_no_batches(budget: int):
    assert batches_by_tokens(np.array([], dtype=np.int64), budget) == []
