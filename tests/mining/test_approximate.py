"""Indexes of FAISS against exact search."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likewise.errors import InputError
from likewise.mining import approximate
from likewise.mining.approximate import FaissSearch, index_flat, index_hnsw, index_ivf, n_lists
from likewise.mining.neighbours import search_cosine

pytestmark = pytest.mark.filterwarnings("ignore:builtin type:DeprecationWarning")  # of SWIG
pytest.importorskip("faiss")


def clustered(seed: int, n: int, width: int = 16) -> np.ndarray:
    """Vectors around some centres, as those of texts are."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(40, width))
    spread = rng.normal(size=(n, width))
    return (centres[rng.integers(0, 40, n)] + 0.4 * spread).astype(np.float32)


def recall(found, exact) -> float:
    pairs = zip(found.positions.tolist(), exact.positions.tolist(), strict=True)
    return float(np.mean([len(set(a) & set(b)) / len(b) for a, b in pairs]))


@given(st.integers(0, 2**31), st.integers(1, 60), st.integers(1, 70), st.booleans())
@settings(deadline=None, max_examples=30)
def test_flat_search_is_exact_search(seed, n, depth, has_ties):
    rng = np.random.default_rng(seed)
    draw = (lambda size: rng.integers(-1, 2, size)) if has_ties else rng.normal
    queries, documents = (draw(size=(m, 3)).astype(np.float32) for m in (5, n))
    if has_ties:  # which of equal ones an index finds is its own affair: all are found
        depth = n
    skipped = np.unique(rng.integers(0, [5, n], (12, 2)), axis=0)
    found = index_flat(documents)(queries, depth=depth, skipped=skipped)
    exact = search_cosine(queries, documents, depth=depth, skipped=skipped)
    np.testing.assert_array_equal(found.positions, exact.positions)
    np.testing.assert_array_equal(found.scores, exact.scores)


@pytest.mark.parametrize("build", [index_ivf, index_hnsw])
def test_lists_and_graphs_find_nearly_all(build):
    documents, queries = clustered(0, 3000), clustered(0, 60)
    exact = search_cosine(queries, documents, depth=20)
    found = build(documents)(queries, depth=20)
    assert recall(found, exact) > 0.95
    same = found.positions == exact.positions
    np.testing.assert_array_equal(found.scores[same], exact.scores[same])
    assert (np.diff(found.scores, axis=1) <= 0).all()


def test_few_lists_searched_find_less(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(approximate, "PROBED", 1)
    documents, queries = np.random.default_rng(0).normal(size=(2, 3000, 16)).astype(np.float32)
    exact = search_cosine(queries[:60], documents, depth=20)
    assert 0.02 < recall(index_ivf(documents)(queries[:60], depth=20), exact) < 0.9


@pytest.mark.parametrize("build", [index_flat, index_ivf, index_hnsw])
def test_many_right_answers_leave_as_many_negatives(build):
    """One query knows 300 of 400 documents, among them the 200 nearest: 50 others are found."""
    documents = clustered(1, 400)
    queries = clustered(1, 3)
    nearest = search_cosine(queries, documents, depth=300).positions[1]
    skipped = np.stack([np.ones(300, np.int64), nearest], axis=1)
    found = build(documents)(queries, depth=50, skipped=skipped)
    assert (found.positions[1] >= 0).sum() == 50
    assert not set(found.positions[1].tolist()) & set(nearest.tolist())


def test_half_as_wide_numbers_are_searched_as_they_are():
    documents, queries = clustered(2, 100).astype(np.float16), clustered(3, 4)
    found = index_flat(documents)(queries, depth=5)
    exact = search_cosine(queries, documents, depth=5)
    np.testing.assert_array_equal(found.positions, exact.positions)


def test_nobody_asks_and_groups_are_refused():
    search = index_flat(clustered(0, 9))
    assert isinstance(search, FaissSearch)
    assert search(np.empty((0, 16), np.float32), depth=3).positions.shape == (0, 3)
    with pytest.raises(InputError, match="by exact search alone"):
        search(clustered(0, 2), depth=3, groups=(np.zeros(2), np.zeros(9)))


def test_there_is_a_list_even_of_few_documents():
    assert (n_lists(1), n_lists(16), n_lists(1_000_000)) == (1, 2, 4000)
