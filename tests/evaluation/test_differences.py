"""Two models on the same items."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likewise.evaluation.differences import correct_for_many, holm, paired_difference, verdict
from likewise.evaluation.measures import items_of, score_items
from likewise.evaluation.result import Difference, Result


def result_of(values: np.ndarray, model: str, *, resamples: int = 500, seed: int = 0) -> Result:
    """A result whose one metric is the mean of `values`."""
    items = {"mean": items_of("mean", values)}
    scores, draws = score_items(items, resamples=resamples, seed=seed)
    return Result(
        task="task", evaluator="means", primary="mean", scores=scores, draws=draws, items=items,
        n=len(values), model=model, data="same", seed=seed,
    )  # fmt: skip


def difference(**changed) -> Difference:
    usual = {"value": 0.1, "low": 0.05, "high": 0.15, "p_value": 0.01}
    return Difference(task="t", metric="m", model="a", against="b", **usual | changed)


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
        assert found.p_permutation == 1 / 501


def test_the_detectable_difference_is_2_point_8_standard_errors():
    rng = np.random.default_rng(0)
    apart = rng.normal(size=400)
    found = paired_difference(
        result_of(apart, "ours", resamples=20_000),
        result_of(np.zeros(400), "theirs", resamples=20_000), "mean",
    )  # fmt: skip
    assert found.detectable == pytest.approx((1.96 + 0.84) * apart.std() / 20, rel=0.03)


def test_without_items_nothing_is_swapped():
    values = np.random.default_rng(0).normal(size=50)
    ours, theirs = result_of(values + 1, "ours"), result_of(values, "theirs")
    found = paired_difference(ours, replace(theirs, items={}), "mean")
    assert found.p_permutation is None
    other = {"mean": items_of("spearman", values, values)}
    assert paired_difference(ours, replace(theirs, items=other), "mean").p_permutation is None


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
    assert verdict(difference(low=low, high=high)) == expected
    assert verdict(difference(low=low, high=high, p_holm=0.049)) == expected
    assert verdict(difference(low=low, high=high, p_holm=0.05)) == "no better"


# What statsmodels 0.14 has, multipletests(p, method="holm"), is what follows by hand: sorted, the
# i-th smallest of m times m - i + 1, then never less than one before it.
@pytest.mark.parametrize(
    ("p_values", "corrected"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.001, 0.01, 0.02, 0.03, 0.5], [0.005, 0.04, 0.06, 0.06, 0.5]),
        ([0.4, 0.6, 0.9], [1.0, 1.0, 1.0]),
        ([0.02, 0.02], [0.04, 0.04]),
        ([0.03], [0.03]),
        ([], []),
    ],
)
def test_holms_correction_is_that_of_the_paper(p_values, corrected):
    assert holm(p_values) == pytest.approx(corrected)


@given(st.lists(st.floats(0.0005, 1), min_size=1, max_size=12), st.randoms())
def test_a_corrected_p_value_is_larger_keeps_the_order_and_is_blind_to_it(p_values, random):
    found = holm(p_values)
    assert all(p <= corrected <= 1 for p, corrected in zip(p_values, found, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert np.all(np.diff(np.array(found)[order]) >= 0)
    assert min(found) == pytest.approx(min(1, len(p_values) * min(p_values)))
    shuffled = random.sample(range(len(p_values)), len(p_values))
    np.testing.assert_allclose(holm([p_values[i] for i in shuffled]), np.array(found)[shuffled])


def test_a_family_is_corrected_by_permutation_where_there_is_one():
    family = [difference(p_permutation=0.02), difference(p_value=0.03)]
    assert [one.p_holm for one in correct_for_many(family)] == pytest.approx([0.04, 0.04])
    assert correct_for_many(family[:1]) == family[:1]
    assert correct_for_many([]) == []
