import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from likewise.evaluation.result import Result
from likewise.evaluation.statistics import (
    CHUNK,
    bootstrap,
    mean_of,
    paired_difference,
    pearson_of,
    score,
    spearman_of,
    verdict,
)


def result_of(values: np.ndarray, model: str, *, resamples: int = 500, seed: int = 0) -> Result:
    """A result whose one metric is the mean of `values`."""
    draws = bootstrap({"mean": mean_of(values)}, len(values), resamples=resamples, seed=seed)
    value = score(float(np.mean(values)), draws["mean"], len(values))
    return Result(
        task="task", evaluator="means", primary="mean", scores={"mean": value}, draws=draws,
        n=len(values), model=model, data="same", seed=seed,
    )  # fmt: skip


@st.composite
def resample(draw: st.DrawFn):
    """Two sides with ties, and how often each item was drawn."""
    n = draw(st.integers(3, 30))
    value = st.integers(-3, 3).map(float) | st.floats(-1e3, 1e3, width=32)
    x, y = (np.array(draw(st.lists(value, min_size=n, max_size=n))) for _ in range(2))
    drawn = draw(st.lists(st.integers(0, n - 1), min_size=n, max_size=n))
    return x, y, np.bincount(drawn, minlength=n)[:, None]


@given(resample())
def test_a_spearman_draw_is_scipys_on_the_drawn_rows(case):
    x, y, counts = case
    rows = np.repeat(np.arange(len(x)), counts[:, 0])
    found = spearman_of(x, y)(counts)[0]
    if np.ptp(x[rows]) == 0 or np.ptp(y[rows]) == 0:
        assert found == 0
    else:
        assert found == pytest.approx(stats.spearmanr(x[rows], y[rows]).statistic, abs=1e-9)


@given(resample())
def test_a_pearson_draw_is_numpys_on_the_drawn_rows(case):
    x, y, counts = case
    rows = np.repeat(np.arange(len(x)), counts[:, 0])
    found = pearson_of(x, y)(counts)[0]
    if min(np.std(x[rows]) / max(np.ptp(x), 1e-9), np.std(y[rows]) / max(np.ptp(y), 1e-9)) > 1e-4:
        assert found == pytest.approx(np.corrcoef(x[rows], y[rows])[0, 1], abs=1e-6)
    else:
        assert -1 <= found <= 1


@given(resample())
def test_a_mean_draw_is_the_mean_of_the_drawn_rows(case):
    x, _, counts = case
    rows = np.repeat(np.arange(len(x)), counts[:, 0])
    assert mean_of(x)(counts)[0] == pytest.approx(x[rows].mean(), abs=1e-6)


def test_every_resample_has_as_many_rows_as_the_data():
    seen = []
    bootstrap({"rows": lambda counts: seen.append(counts) or np.zeros(counts.shape[1])}, 50)
    assert all((counts.sum(axis=0) == 50).all() for counts in seen)
    assert np.concatenate(seen, axis=1).mean() == 1


def test_bootstrap_is_that_of_scipy_but_for_chance():
    rng = np.random.default_rng(0)
    x = rng.normal(size=80)
    y = x + rng.normal(size=80)
    draws = bootstrap({"pearson": pearson_of(x, y)}, 80, resamples=4000, seed=1)["pearson"]
    reference = stats.bootstrap(
        (x, y), lambda x, y: stats.pearsonr(x, y).statistic, paired=True, vectorized=False,
        n_resamples=2000, method="percentile", rng=np.random.default_rng(2),
    )  # fmt: skip
    found = np.percentile(draws, [2.5, 97.5])
    # the end of a 95 % interval has a standard error of about 2.7 deviations / sqrt(resamples)
    slack = 4 * 2.7 * draws.std() * np.hypot(1 / np.sqrt(4000), 1 / np.sqrt(2000))
    np.testing.assert_allclose(found, reference.confidence_interval, atol=slack)


def test_all_metrics_see_the_same_resamples_however_many_there_are():
    values = np.random.default_rng(0).normal(size=300)
    alone = bootstrap({"a": mean_of(values)}, 300, seed=4)
    together = bootstrap({"b": mean_of(-values), "a": mean_of(values)}, 300, seed=4)
    np.testing.assert_array_equal(alone["a"], together["a"])
    np.testing.assert_allclose(together["a"], -together["b"])


def test_memory_does_not_grow_with_the_number_of_resamples():
    values = np.random.default_rng(0).normal(size=2000)
    statistic = {"spearman": spearman_of(values, values[::-1])}

    def peak(resamples: int) -> int:
        tracemalloc.start()
        bootstrap(statistic, 2000, resamples=resamples)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    few, many = peak(200), peak(2000)
    assert many < few + 2000 * 8 * 4
    assert many < 12 * 8 * CHUNK


@pytest.mark.parametrize(("n", "resamples"), [(0, 10), (10, 0)])
def test_nothing_to_draw_is_refused(n: int, resamples: int):
    with pytest.raises(ValueError, match="resample"):
        bootstrap({}, n, resamples=resamples)


def test_a_score_is_widened_to_hold_its_value():
    assert score(0.5, np.linspace(0.6, 0.9, 100), 10).low == 0.5
    assert score(0.95, np.linspace(0.6, 0.9, 100), 10).high == 0.95


TRIALS = 700  # a share of 95 % over 700 trials has a standard error of 0.8 %


def coverage(make, truth: float, n: int) -> float:
    rng = np.random.default_rng(7)
    held = 0
    for trial in range(TRIALS):
        statistic = make(rng, n)
        draws = bootstrap({"it": statistic}, n, resamples=400, seed=trial)["it"]
        low, high = np.percentile(draws, [2.5, 97.5])
        held += low <= truth <= high
    return held / TRIALS


def correlated(statistic, rho: float):
    def make(rng: np.random.Generator, n: int):
        x = rng.normal(size=n)
        return statistic(x, rho * x + np.sqrt(1 - rho**2) * rng.normal(size=n))

    return make


@pytest.mark.parametrize(
    ("make", "truth"),
    [
        (correlated(pearson_of, 0.6), 0.6),
        # a binormal's rank correlation: 6 / pi arcsin(rho / 2) (Kruskal 1958)
        (correlated(spearman_of, 0.6), 6 / np.pi * np.arcsin(0.3)),
        (lambda rng, n: mean_of(rng.beta(0.5, 0.5, size=n)), 0.5),  # as a metric of queries looks
    ],
    ids=["pearson", "spearman", "mean"],
)
def test_a_95_percent_interval_holds_the_truth_19_times_in_20(make, truth):
    assert 0.93 <= coverage(make, truth, n=150) <= 0.97


def test_two_equal_models_are_told_apart_in_5_percent_of_trials():
    rng = np.random.default_rng(3)
    wrong = significant = 0
    for trial in range(TRIALS):
        shared = rng.normal(size=150)
        ours, theirs = (shared + rng.normal(scale=0.5, size=150) for _ in range(2))
        found = paired_difference(
            result_of(ours, "ours", seed=trial), result_of(theirs, "theirs", seed=trial), "mean"
        )
        wrong += verdict(found) != "no better"
        significant += found.p_value < 0.05
    assert 0.03 <= wrong / TRIALS <= 0.075
    assert 0.03 <= significant / TRIALS <= 0.075


def test_pairing_finds_what_separate_intervals_cannot():
    rng = np.random.default_rng(0)
    hard = rng.normal(size=200)  # how hard each query is, for every model
    ours, theirs = (
        result_of(hard + shift + rng.normal(scale=0.1, size=200), name)
        for shift, name in ((0.1, "ours"), (0.0, "theirs"))
    )
    assert ours.scores["mean"].low < theirs.scores["mean"].high
    found = paired_difference(ours, theirs, "mean")
    assert verdict(found) == "better"
    assert found.low < 0.1 < found.high


def test_a_p_value_is_never_zero_and_the_same_from_both_sides():
    values = np.random.default_rng(0).normal(size=100)
    good, bad = result_of(values + 100, "good"), result_of(values, "bad")
    for ours, theirs in ((good, bad), (bad, good)):
        found = paired_difference(ours, theirs, "mean")
        assert found.p_value == 2 * 1 / 501  # no resample beyond zero, and one counted


@pytest.mark.parametrize(
    ("changed", "problem"),
    [({"data": "other"}, "same data"), ({"seed": 9}, "same data"), ({"n": 7}, "same data")],
)
def test_results_that_cannot_be_paired_are_refused(changed, problem):
    values = np.arange(20.0)
    ours, theirs = result_of(values, "ours"), replace(result_of(values, "theirs"), **changed)
    with pytest.raises(ValueError, match=problem):
        paired_difference(ours, theirs, "mean")


def test_different_numbers_of_resamples_are_refused():
    values = np.arange(20.0)
    ours, theirs = result_of(values, "ours"), result_of(values, "theirs", resamples=100)
    with pytest.raises(ValueError, match="500 and 100"):
        paired_difference(ours, theirs, "mean")


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.01, 0.2, "better"), (-0.2, -0.01, "worse"), (-0.1, 0.1, "no better"), (0, 0, "no better")],
)
def test_the_verdict_is_where_the_whole_interval_lies(low, high, expected):
    values = np.arange(20.0)
    found = paired_difference(result_of(values, "a"), result_of(values, "b"), "mean")
    assert verdict(replace(found, low=low, high=high)) == expected
