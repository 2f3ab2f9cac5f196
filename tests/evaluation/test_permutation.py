"""Swapping the items of two models."""

import tracemalloc

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score

from likewise.evaluation.measures import MEASURES, items_of
from likewise.evaluation.permutation import can_swap, permutation_p
from likewise.evaluation.result import Items


def two_models(n: int, shift: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    hard = rng.normal(size=n)
    return hard + shift + rng.normal(size=n), hard + rng.normal(size=n)


@pytest.mark.parametrize("measure", ["mean", "pearson", "spearman", "average_precision"])
def test_of_few_items_it_is_scipys_share_of_all_swaps(measure: str):
    ours, theirs = two_models(9, shift=0.15)
    gold = ours + theirs + np.random.default_rng(5).normal(size=9)
    gold = (gold > 0).astype(float) if measure == "average_precision" else gold
    function = {
        "mean": lambda x: x.mean(),
        "pearson": lambda x: np.corrcoef(x, gold)[0, 1],
        "spearman": lambda x: stats.spearmanr(x, gold).statistic,
        "average_precision": lambda x: average_precision_score(gold, x),
    }[measure]
    scale = {"mean": lambda x: x, "pearson": stats.zscore}.get(measure, stats.rankdata)
    if measure == "mean":
        gold = np.empty(0)
    else:
        ours = 100 * ours + 7  # another scale: a swap has to bring both to one
    exact = stats.permutation_test(
        (scale(ours), scale(theirs)), lambda x, y: function(x) - function(y),
        permutation_type="samples", n_resamples=512,
    ).pvalue  # fmt: skip
    made = [items_of(measure, scores, gold) for scores in (ours, theirs)]
    found = permutation_p(*made, permutations=20_000)
    assert 0.02 < exact < 0.98  # a case that could go wrong
    assert found == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 20_000))


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_is_blind_to_which_model_comes_first(measure: str):
    rng = np.random.default_rng(2)
    gold = rng.integers(0, 2, size=30)
    made = [items_of(measure, rng.integers(0, 2, size=30), gold) for _ in range(2)]
    first, back = permutation_p(*made, seed=3), permutation_p(*made[::-1], seed=3)
    assert first == pytest.approx(back, abs=0.05)
    assert permutation_p(*made, seed=3) == first
    assert permutation_p(made[0], made[0]) == 1


def test_it_is_never_zero():
    good, bad = items_of("mean", np.ones(60)), items_of("mean", np.zeros(60))
    assert permutation_p(good, bad, permutations=99) == 1 / 100


def test_the_unit_of_the_scores_changes_nothing():
    ours, theirs = two_models(50, seed=4)
    gold = ours + theirs
    for measure in ("pearson", "spearman"):
        found = [
            permutation_p(items_of(measure, 20 * ours - 7, gold), items_of(measure, theirs, gold))
            for ours in (ours, 3 * ours)
        ]
        assert found[0] == found[1]


def test_memory_does_not_grow_with_the_number_of_permutations():
    ours, theirs = two_models(500)
    made = [items_of("spearman", x, ours + theirs) for x in (ours, theirs)]

    def peak(permutations: int) -> int:
        tracemalloc.start()
        permutation_p(*made, permutations=permutations)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(1000) < 1.1 * peak(300)


@pytest.mark.parametrize(
    "other",
    [
        items_of("pearson", np.arange(12.0), np.arange(12.0)),
        items_of("spearman", np.arange(11.0), np.arange(11.0)),
        items_of("spearman", np.arange(12.0), np.arange(12.0)[::-1]),
    ],
    ids=["measure", "length", "gold"],
)
def test_other_items_are_not_swapped(other: Items):
    ours = items_of("spearman", np.arange(12.0), np.arange(12.0))
    assert not can_swap(ours, other)
    with pytest.raises(ValueError, match="nothing can be swapped"):
        permutation_p(ours, other)
    with pytest.raises(ValueError, match="a permutation or more"):
        permutation_p(ours, ours, permutations=0)
