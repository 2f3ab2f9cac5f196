"""Several seeds as one result."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from likewise.evaluation.differences import paired_difference
from likewise.evaluation.result import Result
from likewise.evaluation.seeds import combine_seeds
from likewise.evaluation.statistics import mean_of, score_statistics

N = 200


def of_items(values: np.ndarray, model: str = "m") -> Result:
    scores, draws = score_statistics({"accuracy": mean_of(values)}, len(values), resamples=2000)
    return Result(
        task="t", evaluator="e", primary="accuracy", model=model, n=len(values), data="d",
        scores=scores, draws=draws,
    )  # fmt: skip


def width(result: Result) -> float:
    low, high = result.interval
    return high - low


def test_one_alone_is_itself():
    result = of_items(np.arange(N) % 2)
    assert combine_seeds([result]) is result


def test_equal_seeds_have_the_interval_of_one():
    result = of_items(np.arange(N) % 2)
    combined = combine_seeds([result, result, result])
    assert combined.accuracy == result.accuracy
    np.testing.assert_allclose(combined.interval, result.interval, atol=1e-12)


def test_seeds_that_differ_widen_it():
    draw = np.random.default_rng(1)
    items = draw.uniform(size=N)
    runs = [of_items(items + shift) for shift in (-0.3, 0.0, 0.3)]
    combined = combine_seeds(runs)
    assert combined.accuracy == pytest.approx(items.mean())
    assert width(combined) > 3 * width(runs[1])


def test_differences_stay_paired_by_item():
    draw = np.random.default_rng(3)
    items = draw.normal(scale=10, size=N)
    first = combine_seeds([of_items(items, "a") for _ in range(2)])
    second = combine_seeds([of_items(items + 0.1, "b") for _ in range(2)])
    apart = paired_difference(second, first, "accuracy")
    assert apart.low == pytest.approx(0.1)
    assert apart.high == pytest.approx(0.1)


def test_where_items_weigh_nothing_it_is_the_t_test_over_runs():
    values = [0.3, 0.5, 0.6, 0.4]
    combined = combine_seeds([of_items(np.full(N, value)) for value in values])
    reference = stats.ttest_1samp(values, 0).confidence_interval()
    assert combined.interval == pytest.approx(tuple(reference), abs=0.03)
    other = combine_seeds([of_items(np.full(N, value), "o") for value in (0.1, 0.4, 0.2)])
    apart = paired_difference(combined, other, "accuracy")
    welch = stats.ttest_ind(values, [0.1, 0.4, 0.2], equal_var=False).confidence_interval()
    assert (apart.low, apart.high) == pytest.approx(tuple(welch), abs=0.05)
    assert apart.p_permutation is None  # seeds cannot be swapped item by item


def test_other_data_is_refused():
    result = of_items(np.arange(N) % 2)
    with pytest.raises(ValueError, match="not of the same data"):
        combine_seeds([result, replace(result, data="other")])
