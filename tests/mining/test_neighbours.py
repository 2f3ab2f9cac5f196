import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likewise.mining import neighbours
from likewise.mining.neighbours import best_first, search_cosine


def brute(queries, documents, depth):
    """All cosines at once, sorted by (-cosine, position)."""
    q, d = (side.astype(np.float64) for side in (queries, documents))
    q /= np.linalg.norm(q, axis=1, keepdims=True).clip(min=1e-12)
    d /= np.linalg.norm(d, axis=1, keepdims=True).clip(min=1e-12)
    cosines = (q @ d.T).round(neighbours.DECIMALS)
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :depth]
    return order, np.take_along_axis(cosines, order, 1)


@st.composite
def vectors(draw: st.DrawFn):
    seed = draw(st.integers(0, 2**31))
    rng = np.random.default_rng(seed)
    n, m = draw(st.integers(1, 9)), draw(st.integers(1, 40))
    make = draw(
        st.sampled_from([rng.normal, lambda size: rng.integers(-1, 2, size=size)])  # ties
    )
    return make(size=(n, 4)).astype(np.float32), make(size=(m, 4)).astype(np.float32)


@given(vectors(), st.integers(1, 45), st.integers(1, 20), st.integers(1, 5))
@settings(deadline=None)
def test_blocks_do_not_change_the_ranking(sides, depth, documents, queries):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "DOCUMENTS", documents)
        patch.setattr(neighbours, "QUERIES", queries)
        found = search_cosine(*sides, depth=depth)
    order, cosines = brute(*sides, depth)
    width = order.shape[1]
    np.testing.assert_array_equal(found.positions[:, :width], order)
    np.testing.assert_allclose(found.scores[:, :width], cosines, atol=1e-9)
    assert (found.positions[:, width:] == -1).all()
    assert found.positions.shape == (len(sides[0]), depth)


def test_a_skipped_document_is_found_by_nobody_else_but_the_others():
    documents = np.eye(4, dtype=np.float32)
    found = search_cosine(documents, documents, depth=4, skipped=np.array([0, -1, 2, -1]))
    assert [0 in row for row in found.positions.tolist()] == [False, True, True, True]
    assert found.positions[2].tolist()[-1] == -1
    assert found.positions[1, 0] == 1


def test_a_vector_of_zeros_is_similar_to_nothing():
    found = search_cosine(np.ones((1, 3), np.float32), np.zeros((2, 3), np.float32), depth=2)
    assert found.scores.tolist() == [[0, 0]]
    assert found.positions.tolist() == [[0, 1]]


def test_best_first_leaves_out_what_was_not_found():
    scores = np.array([[-np.inf, 3.0, 3.0, 1.0, -np.inf]])
    found = best_first(scores, np.arange(5), depth=4)
    assert found.positions.tolist() == [[1, 2, 3, -1]]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(1, 30))
def test_ties_go_to_the_left(values, depth):
    scores = np.array([values], dtype=np.float64)
    expected = sorted(range(len(values)), key=lambda i: (-values[i], i))[:depth]
    found = best_first(scores, np.arange(len(values)), depth=depth).positions[0].tolist()
    assert found == expected + [-1] * (depth - len(expected))


def test_memory_is_that_of_one_block_and_not_of_all_similarities():
    rng = np.random.default_rng(0)
    queries, documents = (rng.normal(size=(n, 4)).astype(np.float32) for n in (1024, 16384))
    tracemalloc.start()
    search_cosine(queries, documents, depth=10)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * neighbours.QUERIES * neighbours.DOCUMENTS * 8
    assert peak < len(queries) * len(documents) * 8


def test_cosines_nearer_than_a_float32_can_tell_are_ranked_as_float64_has_them():
    rng = np.random.default_rng(0)
    base = rng.normal(size=64)
    documents = (base + rng.normal(size=(3000, 64)) * 1e-5).astype(np.float32)
    queries = (base + rng.normal(size=(4, 64))).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "DOCUMENTS", 512)
        found = search_cosine(queries, documents, depth=5)
    order, cosines = brute(queries, documents, 5)
    assert np.ptp(cosines, axis=1).max() < 1e-6  # below the bound on a float32 sum of 64 products
    np.testing.assert_array_equal(found.positions, order)


@given(vectors(), st.integers(1, 45), st.integers(1, 20))
@settings(deadline=None)
def test_a_group_finds_only_the_others(sides, depth, documents):
    queries, rows = sides
    groups = np.arange(len(queries)) % 3, np.arange(len(rows)) % 3
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "DOCUMENTS", documents)
        found = search_cosine(queries, rows, depth=depth, groups=groups)
    for query in range(len(queries)):
        outside = np.flatnonzero(groups[1] != groups[0][query])
        expected = outside[brute(queries[query : query + 1], rows[outside], depth)[0][0]]
        assert found.positions[query, : len(expected)].tolist() == expected.tolist()
        assert (found.positions[query, len(expected) :] == -1).all()


def test_nobody_asks_and_nothing_is_there():
    none, some = np.empty((0, 3), np.float32), np.ones((2, 3), np.float32)
    assert search_cosine(none, some, depth=4).positions.shape == (0, 4)
    assert search_cosine(some, none, depth=4).positions.tolist() == [[-1] * 4] * 2
