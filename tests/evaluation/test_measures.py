"""What each measure makes of items."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import accuracy_score, average_precision_score, f1_score

from likewise.evaluation.measures import MEASURES, items_of, macro_f1_of, score_items, statistic_of

ONCE = np.ones((60, 1), dtype=np.int64)


def best(metric, gold, scores) -> float:
    calls = [scores >= threshold for threshold in (*np.unique(scores), np.inf)]
    return max(metric(gold, call) for call in calls)


REFERENCES = {
    "mean": lambda gold, x: x.mean(),
    "pearson": lambda gold, x: stats.pearsonr(x, gold).statistic,
    "spearman": lambda gold, x: stats.spearmanr(x, gold).statistic,
    "average_precision": average_precision_score,
    "f1": lambda gold, x: best(lambda g, c: f1_score(g, c, zero_division=0), gold, x),
    "accuracy": lambda gold, x: best(accuracy_score, gold, x),
    "macro_f1": lambda gold, x: f1_score(gold, x, average="macro", zero_division=0),
}


def made(measure: str, seed: int = 0):
    rng = np.random.default_rng(seed)
    gold = rng.integers(0, 2, size=60)
    scores = rng.integers(0, 2, 60) if measure == "macro_f1" else gold + rng.normal(size=60)
    return scores, gold


def test_every_measure_has_a_reference():
    assert REFERENCES.keys() == MEASURES.keys()


@pytest.mark.parametrize("measure", MEASURES)
def test_a_value_is_that_of_a_well_known_library(measure: str):
    scores, gold = made(measure)
    items = items_of(measure, scores, gold)
    expected = REFERENCES[measure](gold, scores)
    assert statistic_of(items)(ONCE)[0] == pytest.approx(expected)
    found, draws = score_items({"it": items}, resamples=300)
    assert found["it"].value == pytest.approx(expected)
    assert found["it"].low < expected <= found["it"].high
    assert draws["it"].shape == (300,)


@pytest.mark.parametrize("measure", MEASURES)
def test_one_scale_for_all_models_changes_no_value(measure: str):
    scores, gold = made(measure)
    scaled = MEASURES[measure].to_scale(scores)
    found = [statistic_of(items_of(measure, x, gold))(ONCE)[0] for x in (scores, scaled)]
    assert found[0] == pytest.approx(found[1])


@pytest.mark.parametrize("measure", MEASURES)
def test_the_draws_of_a_metric_do_not_depend_on_its_neighbours(measure: str):
    items = {name: items_of(name, *made(name)) for name in ("f1", "mean", measure)}
    alone = score_items({measure: items[measure]}, resamples=200, seed=3)
    together = score_items(items, resamples=200, seed=3)
    assert list(together[0]) == list(items)
    assert together[0][measure] == alone[0][measure]
    np.testing.assert_array_equal(together[1][measure], alone[1][measure])


@given(st.integers(0, 2**32 - 1))
def test_the_best_threshold_is_worth_less_on_other_items(seed: int):
    rng = np.random.default_rng(seed)
    gold = rng.permutation(40) % 2
    scores = rng.normal(size=40)  # which know nothing, so that the best is all chance
    found, draws = score_items({"it": items_of("accuracy", scores, gold)}, resamples=200)
    low, high = np.percentile(draws["it"], [2.5, 97.5])
    assert found["it"].low < low
    assert found["it"].low <= found["it"].value <= found["it"].high < high


def test_classes_told_apart_perfectly_have_no_interval():
    gold = np.arange(40) % 2
    found, _ = score_items({name: items_of(name, gold, gold) for name in ("f1", "accuracy")})
    assert {(one.low, one.high) for one in found.values()} == {(1, 1)}


def test_a_macro_f1_draw_is_scikit_learns_on_the_drawn_rows():
    rng = np.random.default_rng(0)
    gold, found = rng.integers(0, 3, 40), rng.integers(0, 3, 40)
    counts = rng.integers(0, 3, (40, 5))
    values = macro_f1_of(found, gold)(counts)
    for r in range(5):
        own, theirs = np.repeat(gold, counts[:, r]), np.repeat(found, counts[:, r])
        expected = f1_score(own, theirs, average="macro", labels=[0, 1, 2], zero_division=0)
        assert values[r] == pytest.approx(expected)
