"""Which candidates may be negatives: golden values by hand."""

from dataclasses import replace

import numpy as np
import pytest

from data.derive.conftest import dataset
from likewise.mining.draws import candidates_at
from likewise.mining.filters import (
    Verdict,
    ceiling,
    judge_candidates,
    judge_of,
    score_candidates,
)
from likewise.mining.options import MiningOptions
from likewise.mining.pool import pool_of

# degrees from the anchor q; cosines: 40 0.766, 20 0.940, 42 0.743, 45 0.707, 60 0.5, 85 0.087
ANGLES = {"p": 40, "near": 20, "margin": 42, "hard": 45, "own": 50, "easy": 60, "far": 85}


def at(degrees) -> np.ndarray:
    radians = np.radians(np.array(degrees, dtype=np.float64))
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


@pytest.fixture
def pool():
    pairs = dataset("pairs", anchor=["q"], positive=["p"], negative=["own"])
    return pool_of(pairs, list(ANGLES)[1:])


def verdicts(pool, *more, **options) -> dict[str, str]:
    asked = MiningOptions(**{"near_duplicates": 1.01, **options})
    judges = [judge_of(at([0]), at(list(ANGLES.values())), pool), *more]
    places = np.array([[1, 2, 3, 4, 5, 6, -1]])
    found = candidates_at(places, ranks=places, sources=places)
    rows = np.zeros(1, np.int64)
    scores = score_candidates(found, rows, pool, judges[0])
    judged = judge_candidates(replace(found, scores=scores), rows, pool, judges, asked)
    assert judged.verdicts[0, -1] == Verdict.NOTHING
    return {
        pool.documents[place]: Verdict(v).name
        for place, v in zip(places[0, :-1].tolist(), judged.verdicts[0].tolist(), strict=False)
    }


USUAL = {
    "near": "ABOVE",
    "margin": "MARGIN",
    "hard": "OPEN",
    "own": "OWN",
    "easy": "OPEN",
    "far": "OPEN",
}


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        ({}, {}),  # 5 % below 0.766 is 0.728
        ({"relative_margin": 0.0}, {"margin": "OPEN"}),
        ({"relative_margin": 0.1}, {"hard": "MARGIN"}),  # 0.689
        ({"absolute_margin": 0.05}, {}),  # 0.716: still over 0.707
        ({"absolute_margin": 0.3}, {"hard": "MARGIN", "easy": "MARGIN"}),  # 0.466
        ({"min_score": 0.4}, {"far": "LOW"}),
        ({"max_score": 0.7071}, {"near": "HIGH", "margin": "HIGH", "hard": "HIGH"}),
        ({"near_duplicates": 0.999}, {"margin": "REPEAT"}),  # 2 degrees from the positive
        ({"near_duplicates": 0.93}, {"near": "REPEAT", "margin": "REPEAT", "hard": "REPEAT"}),
    ],
)
def test_each_reason_has_its_verdict(options, changed, pool):
    if options.get("near_duplicates") == 0.93:  # of the positive: within 21.6 degrees
        changed = {**changed, "easy": "REPEAT"}
    assert verdicts(pool, **options) == {**USUAL, **changed}


def test_every_model_must_hold_a_negative_far_enough(pool):
    turned = at([0]), at([40, 80, 80, 20, 80, 42, 60])  # p, near, margin, hard, own, easy, far
    second = judge_of(*turned, pool)
    found = verdicts(pool, second)
    assert found == {**USUAL, "hard": "ABOVE", "easy": "MARGIN"}


def test_of_several_positives_the_least_similar_bounds(pool):
    pairs = dataset("pairs", anchor=["q", "r"], positive=[["a", "b"], ["c"]])
    pool = pool_of(pairs)
    judge = judge_of(at([0, 10]), at([40, 60, 70]), pool)
    np.testing.assert_allclose(judge.lowest, np.cos(np.radians([60, 60])), atol=1e-6)


def test_margins_of_a_positive_below_zero_lie_below_it():
    options = MiningOptions(relative_margin=0.1, absolute_margin=0.02)
    found = ceiling(np.array([-0.5, 0.0, 0.1]), options)
    np.testing.assert_allclose(found, [-0.55, -0.02, 0.08])


def test_what_is_near_a_right_answer_of_another_row_repeats_it_too():
    pairs = dataset("pairs", anchor=["q", "Q?"], positive=["a", "b"])
    pool = pool_of(pairs, ["like b", "other"])
    judge = judge_of(at([0]), at([10, 60, 63, 90]), pool)
    places = np.array([[2, 3]])
    found = candidates_at(places, ranks=places, sources=places)
    for row in (0, 1):
        rows = np.array([row])
        judged = judge_candidates(found, rows, pool, [judge], MiningOptions(near_duplicates=0.99))
        assert judged.verdicts.tolist() == [[Verdict.REPEAT, Verdict.OPEN]]
