"""Who asks, what can be found, and what is known to be right."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.derive.conftest import dataset
from likewise.data.clusters import normalise
from likewise.data.derive import labelled_to_pairs
from likewise.errors import InputError
from likewise.mining.pool import pool_of

WORDS = st.sampled_from(["q", "Q?", "r", "p1", "P1!", "p2", "p 3", "P-3"])
ROWS = st.lists(st.tuples(WORDS, st.lists(WORDS, min_size=1, max_size=3)), min_size=1, max_size=6)


def known_texts(rows, anchor: str) -> set[str]:
    """By the definition: positives of equal anchors, the anchor, and what has it as positive."""
    key = normalise(anchor)
    found = {key}
    for asked, answers in rows:
        right = {normalise(answer) for answer in answers}
        found |= right if normalise(asked) == key else set()
        found |= {normalise(asked)} if key in right else set()
    return found


@given(ROWS, st.lists(WORDS, max_size=4))
@settings(deadline=None)
def test_a_pool_has_each_text_once_and_knows_what_is_right(rows, corpus):
    pairs = dataset("pairs", anchor=[a for a, _ in rows], positive=[p for _, p in rows])
    pool = pool_of(pairs, corpus)
    keys = [normalise(text) for text in pool.documents]
    given = [normalise(text) for _, texts in rows for text in texts]
    given += [normalise(text) for text in corpus]
    assert keys == list(dict.fromkeys(given))
    assert pool.repeats == len(given) - len(keys)
    asked = [normalise(text) for text in pool.anchors]
    assert [asked[i] for i in pool.anchor] == [normalise(a) for a, _ in rows]
    assert [(row, keys[place]) for row, place in pool.positives.tolist()] == [
        (row, normalise(text)) for row, (_, texts) in enumerate(rows) for text in texts
    ]
    is_known = pool.is_known(np.arange(len(asked))[:, None], np.arange(len(keys))[None])
    for i, anchor in enumerate(pool.anchors):
        expected = known_texts(rows, anchor) & set(keys)
        assert {key for key, known in zip(keys, is_known[i], strict=True) if known} == expected
        assert {keys[d] for a, d in pool.known.tolist() if a == i} == expected
    assert pool.known.tolist() == sorted(pool.known.tolist())


def test_the_negatives_that_a_row_has_are_its_own():
    pairs = dataset(
        "pairs", anchor=["q", "r"], positive=["p", "s"], negative=[["S!", "elsewhere"], ["t"]]
    )
    pool = pool_of(pairs, ["t", "u"])
    assert pool.documents == ["p", "s", "t", "u"]
    assert pool.own.tolist() == [[0, 1], [1, 2]]
    is_own = pool.is_own(np.arange(2)[:, None], np.arange(4)[None])
    assert np.argwhere(is_own).tolist() == [[0, 1], [1, 2]]


def test_a_group_knows_its_own_and_further_texts_have_none(labelled):
    pairs = labelled_to_pairs(labelled, seed=0).without("negative")
    pool = pool_of(pairs, ["something else"])
    assert pool.groups is not None
    assert pool.groups[1][-1] == -1
    label = dict(zip(labelled.texts("text"), labelled.labels(), strict=True))
    known = pool.is_known(np.arange(len(pool.anchors))[:, None], np.arange(64)[None])
    for i, anchor in enumerate(pool.anchors):
        same = [label[text] == label[anchor] for text in pool.documents[:-1]]
        np.testing.assert_array_equal(known[i], same)


def test_an_empty_text_of_a_corpus_is_refused():
    with pytest.raises(InputError, match="text 2 of 3 of the corpus is empty"):
        pool_of(dataset("pairs", anchor=["q"], positive=["p"]), ["a", " \n", "b"])
