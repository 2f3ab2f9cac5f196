import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from likewise.evaluation.statistics import (
    CHUNK,
    bootstrap,
    mean_of,
    pearson_of,
    score,
    score_statistics,
    spearman_of,
)


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


def test_a_metrics_interval_is_scipys_corrected_one_but_for_chance():
    rng = np.random.default_rng(0)
    values = rng.exponential(size=25)
    (found,) = score_statistics({"mean": mean_of(values)}, 25, resamples=8000)[0].values()

    def reference(method: str) -> tuple[float, float]:
        given = {"n_resamples": 8000, "method": method, "rng": np.random.default_rng(2)}
        return tuple(stats.bootstrap((values,), np.mean, **given).confidence_interval)

    # the end of a 95 % interval has a standard error of about 2.7 deviations / sqrt(resamples)
    slack = 4 * 2.7 * values.std() / np.sqrt(25) * np.sqrt(2 / 8000)
    np.testing.assert_allclose([found.low, found.high], reference("BCa"), atol=slack)
    assert found.low > reference("percentile")[0] + slack  # by more than chance


def test_many_items_are_left_out_in_groups_to_the_same_effect():
    rng = np.random.default_rng(1)
    values = rng.exponential(size=1300)
    (found,) = score_statistics({"mean": mean_of(values)}, 1300, resamples=4000)[0].values()
    skewness = stats.skew(values) / (6 * np.sqrt(1300))  # a mean's acceleration
    z = stats.norm.ppf([0.025, 0.975])
    draws = bootstrap({"mean": mean_of(values)}, 1300, resamples=4000)["mean"]
    bias = stats.norm.ppf(np.mean(draws < values.mean()))
    ends = np.quantile(draws, stats.norm.cdf(bias + (bias + z) / (1 - skewness * (bias + z))))
    np.testing.assert_allclose([found.low, found.high], ends, atol=0.05 * draws.std())


def test_values_that_are_all_alike_have_an_interval_of_no_width():
    scores, _ = score_statistics({"mean": mean_of(np.full(20, 0.25))}, 20, resamples=100)
    assert (scores["mean"].low, scores["mean"].high) == (0.25, 0.25)


@given(resample())
def test_a_part_of_the_items_is_a_sample_of_its_own(case):
    """What is drawn need not be as many as there are: a permutation draws half of two models."""
    x, y, _ = case
    some = np.arange(len(x)) % 2 == 0
    part = some.astype(np.int64)[:, None]
    own = np.ones((int(some.sum()), 1), dtype=np.int64)
    assert mean_of(x)(part) == pytest.approx(mean_of(x[some])(own))
    assert spearman_of(x, y)(part) == pytest.approx(spearman_of(x[some], y[some])(own), abs=1e-9)


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
