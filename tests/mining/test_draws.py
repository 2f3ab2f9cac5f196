"""Which candidates are chosen, and how often."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from data.derive.conftest import dataset
from likewise.mining.draws import candidates_at, choose, draw_at_random, open_to
from likewise.mining.filters import Verdict
from likewise.mining.options import MiningOptions
from likewise.mining.pool import pool_of

N = 20_000


def candidates(verdicts=(0, 0, 0), scores=(0.9, 0.8, 0.7), rows: int = 1):
    places = np.tile(np.arange(10, 10 + len(verdicts)), (rows, 1))
    found = candidates_at(places, ranks=places - 9, sources=np.ones_like(places))
    return replace(
        found,
        verdicts=np.tile(np.array(verdicts, np.int8), (rows, 1)),
        scores=np.tile(np.array(scores), (rows, 1)),
    )


def drawn(found, seed: int = 0, **options) -> np.ndarray:
    return choose(found, MiningOptions(**options), np.random.default_rng(seed)).places


def test_the_first_open_ones_are_taken_in_order():
    found = candidates((0, 6, 0, 3), (0.9, 0.8, 0.7, 0.6))
    assert drawn(found, negatives=2).tolist() == [[10, 12]]
    assert drawn(found, negatives=4).tolist() == [[10, 12, -1, -1]]


def test_suspicious_ones_are_open_only_if_they_are_kept():
    every = candidates(tuple(Verdict), (0.5,) * len(Verdict))
    assert np.flatnonzero(open_to(every, MiningOptions())[0]).tolist() == [Verdict.OPEN]
    kept = open_to(every, MiningOptions(suspicious="keep"))
    assert np.flatnonzero(kept[0]).tolist() == [
        Verdict.OPEN, Verdict.MARGIN, Verdict.ABOVE, Verdict.RELEVANT,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"sampling": "uniform"}, (1 / 3, 1 / 3, 1 / 3)),
        ({"sampling": "rank"}, (6 / 11, 3 / 11, 2 / 11)),  # 1, 1/2, 1/3
        # e^(0.9/0.1), e^(0.8/0.1), e^(0.7/0.1): 1, e^-1, e^-2 over their sum
        ({"sampling": "temperature", "temperature": 0.1}, (0.6652, 0.2447, 0.0900)),
    ],
)
def test_draws_have_their_weights(options, expected):
    found = drawn(candidates(rows=N), **options)
    counts = Counter(found.ravel().tolist())
    shares = [counts[place] / N for place in (10, 11, 12)]
    np.testing.assert_allclose(shares, expected, atol=5 * 0.5 / np.sqrt(N))


def test_closed_ones_do_not_count_for_the_rank():
    found = drawn(candidates((6, 0, 0), rows=N), sampling="rank")
    counts = Counter(found.ravel().tolist())
    assert set(counts) == {11, 12}
    assert abs(counts[11] / N - 2 / 3) < 5 * 0.5 / np.sqrt(N)


def test_the_scores_of_a_cross_encoder_are_drawn_by_where_there_are_any():
    found = candidates(scores=(0.9, 0.9, 0.9), rows=N)
    relevance = np.tile(np.array([0.1, 0.2, 0.3], np.float32), (N, 1))
    found = replace(found, relevance=relevance)
    counts = Counter(drawn(found, sampling="temperature", temperature=0.1).ravel().tolist())
    shares = [counts[place] / N for place in (12, 11, 10)]
    np.testing.assert_allclose(shares, (0.6652, 0.2447, 0.0900), atol=5 * 0.5 / np.sqrt(N))


@pytest.mark.parametrize("sampling", ["uniform", "rank", "temperature"])
def test_several_draws_are_of_different_ones_and_in_order(sampling):
    found = drawn(candidates(rows=200), negatives=2, sampling=sampling)
    assert (found[:, 0] < found[:, 1]).all()
    few = drawn(candidates((0, 6, 6), rows=3), negatives=2, sampling=sampling)
    assert few.tolist() == [[10, -1]] * 3
    first, same, other = (drawn(candidates(rows=200), s, sampling=sampling) for s in (1, 1, 2))
    assert (first == same).all()
    assert (first != other).any()


@pytest.mark.parametrize("n", [6, 500])
def test_random_documents_are_spread_and_none_is_known_or_twice_in_a_row(n: int):
    pairs = dataset("pairs", anchor=["q"], positive=[["p1", "p2"]])
    pool = pool_of(pairs, [f"text {i}" for i in range(n - 2)])
    rows = np.zeros(400, np.int64)
    found = draw_at_random(rows, pool, MiningOptions(hardness="easy"), np.random.default_rng(0))
    counts: Counter[int] = Counter()
    for row in found.places.tolist():
        there = [place for place in row if place >= 0]
        assert len(there) == len(set(there))
        counts.update(there)
    assert set(counts) == set(range(2, n))
    assert (found.ranks == 0).all()
    first = Counter(drawn(found, hardness="easy")[:, 0].tolist())
    assert max(first.values()) < 2 * 400 / min(n - 2, 40)
