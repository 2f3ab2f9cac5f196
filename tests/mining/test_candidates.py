import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.conftest import random_vectors
from likewise.data.clusters import normalise
from likewise.mining.candidates import (
    bm25_candidates,
    random_candidates,
    score_bins,
    semantic_candidates,
)

WORDS = ("cat", "dog", "river", "engine", "mat", "Cat!")


def line(texts, *, role=None):
    """Every text on a line, at the number in it: the nearest have the nearest numbers."""
    angles = np.array([int(text.split()[-1]) for text in texts]) / 1000
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def semantic(texts, others=None, **options):
    return semantic_candidates(random_vectors(), texts, others, top_k=3, **options)


def lexical(texts, others=None, **options):
    return bm25_candidates(texts, others, top_k=3, **options)


def drawn(texts, others=None, *, limit=10, **options):
    return random_candidates(texts, others, count=limit, seed=0, **options)


STRATEGIES = {"semantic": semantic, "bm25": lexical, "random": drawn}
every_strategy = pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES)
text = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
texts = st.lists(text, min_size=1, max_size=10)


@every_strategy
@given(st.data())
@settings(deadline=None, max_examples=60)
def test_pairs_are_distinct_new_and_of_two_texts(strategy, data):
    first, second = data.draw(texts), data.draw(st.none() | texts)
    gold = data.draw(st.lists(st.tuples(text, text), max_size=4))
    limit = data.draw(st.integers(0, 12))
    right = first if second is None else second
    pairs = strategy(first, second, exclude=gold, limit=limit)
    assert pairs.dtype == np.int64
    assert pairs.shape[1:] == (2,)
    assert len(pairs) <= limit
    found = [frozenset((normalise(first[i]), normalise(right[j]))) for i, j in pairs.tolist()]
    assert len(set(found)) == len(found)
    assert all(len(pair) == 2 for pair in found)
    assert not set(found) & {frozenset(map(normalise, pair)) for pair in gold}


@every_strategy
def test_the_same_again_gives_the_same(strategy):
    pool = [f"{a} {b} {i}" for i, (a, b) in enumerate(zip(WORDS * 3, WORDS[::-1] * 3, strict=True))]
    np.testing.assert_array_equal(strategy(pool), strategy(pool))


@every_strategy
def test_a_gold_pair_is_excluded_whatever_its_order_and_case(strategy):
    pool = ["cat mat", "cat dog", "cat river"]
    for gold in [("cat mat", "Cat, dog"), ("cat dog!", "cat mat")]:
        found = {frozenset(pair) for pair in strategy(pool, exclude=[gold]).tolist()}
        assert found == {frozenset((0, 2)), frozenset((1, 2))}


@every_strategy
def test_a_pool_inside_the_gold_pairs_leaves_nothing(strategy):
    assert strategy(["cat mat", "cat dog"], exclude=[("cat mat", "cat dog")]).shape == (0, 2)


def test_the_nearest_come_first():
    pool = [f"at {number}" for number in (0, 10, 100, 120)]
    pairs = semantic_candidates(line, pool, top_k=2)
    # nearest: 0-10, 100-120; second: 0-100, 10-100, 100-10 again, 120-10
    assert [sorted(pair) for pair in pairs.tolist()] == [[0, 1], [2, 3], [0, 2], [1, 2], [1, 3]]


def test_two_sides_are_paired_with_one_another():
    pairs = semantic_candidates(line, ["at 0", "at 100"], ["to 90", "to 10", "at 0"], top_k=1)
    assert pairs.tolist() == [[0, 1], [1, 0]]
    assert bm25_candidates(["cat"], ["dog", "a cat", "Cat"], top_k=1).tolist() == [[0, 1]]


def test_a_limit_takes_from_all_texts_and_not_the_first():
    pool = [f"at {number}" for number in range(0, 900, 3)]
    every = semantic_candidates(line, pool, top_k=4)
    some = semantic_candidates(line, pool, top_k=4, limit=len(pool) // 2)
    kept = {tuple(pair) for pair in every.tolist()}
    assert {tuple(pair) for pair in some.tolist()} <= kept
    assert len(some) == len(pool) // 2
    # spread evenly: each tenth of the texts gives about a tenth of the pairs
    counts, _ = np.histogram(some[:, 0], bins=10, range=(0, len(pool)))
    assert counts.min() >= 0.5 * len(some) / 10
    assert counts.max() <= 2 * len(some) / 10


def test_random_pairs_are_drawn_alike():
    pool = [f"text {i}" for i in range(5)]
    drawn = [tuple(random_candidates(pool, count=1, seed=seed)[0]) for seed in range(1000)]
    counts = np.unique(drawn, axis=0, return_counts=True)[1]
    # 10 pairs, 100 each: a standard deviation is 9.5
    assert len(counts) == 10
    assert (abs(counts - 100) < 45).all()


@pytest.mark.parametrize("n", [40, 400])
def test_as_many_random_pairs_as_are_asked_for(n):
    pool = [f"text {i}" for i in range(n)]
    assert len(random_candidates(pool, count=500, seed=0)) == 500
    assert len(random_candidates(pool, pool[: n // 2], count=500, seed=0)) == 500
    # 40 texts have 780 pairs; with 20 of them, 20 x 19 / 2 + 20 x 20
    assert len(random_candidates(pool[:40], count=9999, seed=0)) == 780
    assert len(random_candidates(pool[:40], pool[:20], count=9999, seed=0)) == 590


def test_scores_are_counted_in_bins():
    assert list(score_bins([0, 0.1, 0.2, 0.55, 1.0]).values()) == [2, 1, 1, 0, 1]
    assert list(score_bins([])) == [
        "0 to 0.2",
        "0.2 to 0.4",
        "0.4 to 0.6",
        "0.6 to 0.8",
        "0.8 to 1",
    ]
    assert score_bins([-3, 7], bins=2, low=0, high=5) == {"0 to 2.5": 1, "2.5 to 5": 1}
