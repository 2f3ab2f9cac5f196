import warnings

import numpy as np
import pytest
import pytrec_eval
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from likewise.evaluation.metrics import (
    average_precision,
    midranks,
    mrr_at_k,
    ndcg_at_k,
    pearson,
    precision_at_k,
    recall_at_k,
    spearman,
)

FEW_VALUES = st.integers(-3, 3).map(float)  # many ties
NUMBERS = st.floats(-1e6, 1e6, allow_nan=False, width=32)


@st.composite
def two_sides(draw: st.DrawFn, elements: st.SearchStrategy = FEW_VALUES | NUMBERS):
    n = draw(st.integers(3, 40))
    sides = [draw(st.lists(elements, min_size=n, max_size=n)) for _ in range(2)]
    assume(all(np.std(side) > 1e-3 * max(1, np.abs(side).max()) for side in sides))
    return sides


@given(two_sides())
def test_pearson_is_that_of_scipy(sides):
    assert pearson(*sides) == pytest.approx(stats.pearsonr(*sides).statistic, abs=1e-9)


@given(two_sides())
def test_spearman_is_that_of_scipy_with_ties(sides):
    assert spearman(*sides) == pytest.approx(stats.spearmanr(*sides).statistic, abs=1e-9)


@given(st.lists(FEW_VALUES | NUMBERS, min_size=1, max_size=60))
def test_midranks_are_those_of_scipy(values):
    np.testing.assert_array_equal(midranks(values), stats.rankdata(values))


@given(two_sides(), st.floats(0.01, 100), st.floats(-100, 100))
def test_unit_and_offset_do_not_change_a_correlation(sides, factor, offset):
    x, y = np.asarray(sides)
    assert pearson(x * factor + offset, y) == pytest.approx(pearson(x, y), abs=1e-6)
    assert pearson(-x, y) == pytest.approx(-pearson(x, y), abs=1e-9)
    assert spearman(y, x) == pytest.approx(spearman(x, y), abs=1e-12)


@given(two_sides(), st.randoms())
def test_the_order_of_pairs_does_not_change_a_correlation(sides, random):
    pairs = list(zip(*sides, strict=True))
    random.shuffle(pairs)
    assert spearman(*zip(*pairs, strict=True)) == pytest.approx(spearman(*sides), abs=1e-9)
    assert pearson(*zip(*pairs, strict=True)) == pytest.approx(pearson(*sides), abs=1e-9)


@pytest.mark.parametrize("metric", [pearson, spearman])
@pytest.mark.parametrize(
    ("x", "y", "problem"),
    [([1, 2], [1, 2, 3], "length"), ([1], [1], "length"), ([1, 1], [1, 2], "constant")],
)
def test_what_has_no_correlation_is_refused(metric, x, y, problem):
    with pytest.raises(ValueError, match=problem):
        metric(x, y)


def judged_run(rng: np.random.Generator, n_documents: int):
    """Grades of a corpus (many unjudged), a run with tied scores, and its ranks as trec_eval's."""
    documents = [f"d{i:03d}" for i in range(n_documents)]
    grades = rng.choice([0, 0, 1, 2, 3], size=n_documents)
    if rng.random() < 0.2:
        grades[:] = 0  # a query without a relevant document
    is_judged = rng.random(n_documents) < 0.5
    is_judged[0] = True  # pytrec_eval passes over a query without judgements
    qrel = {d: int(g) for d, g, j in zip(documents, grades, is_judged, strict=True) if j}
    found = rng.random(n_documents) < 0.8
    found[0] = True
    run = {
        d: float(rng.integers(0, 8)) / 8
        for d, is_found in zip(documents, found, strict=True)
        if is_found
    }
    ranked = sorted(run, key=lambda d: (run[d], d), reverse=True)  # ties: the later id first
    return qrel, run, [qrel.get(d, 0) for d in ranked]


@pytest.mark.parametrize("k", [1, 3, 10, 100])
def test_ranking_metrics_are_those_of_trec_eval(k: int):
    rng = np.random.default_rng(k)
    for _ in range(60):
        qrel, run, grades = judged_run(rng, int(rng.integers(1, 40)))
        judged = list(qrel.values())
        names = {f"ndcg_cut_{k}", f"recall_{k}", f"map_cut_{k}", f"P_{k}", "recip_rank", "map"}
        expected = pytrec_eval.RelevanceEvaluator({"q": qrel}, names).evaluate({"q": run})["q"]
        first_k = expected["recip_rank"] if expected["recip_rank"] >= 1 / k else 0
        assert ndcg_at_k(grades, judged, k) == pytest.approx(expected[f"ndcg_cut_{k}"])
        assert recall_at_k(grades, judged, k) == pytest.approx(expected[f"recall_{k}"])
        assert average_precision(grades, judged, k) == pytest.approx(expected[f"map_cut_{k}"])
        assert average_precision(grades, judged) == pytest.approx(expected["map"])
        assert precision_at_k(grades, k) == pytest.approx(expected[f"P_{k}"])
        assert mrr_at_k(grades, k) == pytest.approx(first_k)


GRADES = st.lists(st.integers(0, 3), min_size=1, max_size=20)


@given(GRADES, st.lists(st.integers(0, 3), max_size=5), st.integers(1, 25))
def test_ranking_metrics_are_shares(grades, missed, k):
    judged = grades + missed
    values = [
        ndcg_at_k(grades, judged, k),
        recall_at_k(grades, judged, k),
        average_precision(grades, judged, k),
        mrr_at_k(grades, k),
        precision_at_k(grades, k),
    ]
    assert all(0 <= value <= 1 + 1e-12 for value in values)


@given(GRADES.filter(any), st.integers(1, 25))
def test_the_best_order_has_an_ndcg_of_one_and_no_other_order_more(grades, k):
    best = sorted(grades, reverse=True)
    assert ndcg_at_k(best, grades, k) == pytest.approx(1)
    assert ndcg_at_k(grades, grades, k) <= 1 + 1e-12


@given(GRADES, st.integers(1, 20))
def test_deeper_ranks_only_ever_add_recall(grades, k):
    recalls = [float(recall_at_k(grades, grades, depth)) for depth in (k, k + 1, 100)]
    assert recalls == sorted(recalls)
    assert recalls[-1] == float(any(grades))


@given(st.lists(GRADES, min_size=2, max_size=4), st.integers(1, 12))
def test_many_queries_at_once_are_as_one_by_one(rows, k):
    width = max(map(len, rows))
    padded = np.array([row + [0] * (width - len(row)) for row in rows])
    for metric in (ndcg_at_k, recall_at_k, average_precision):
        single = [float(metric(row, row, k)) for row in rows]
        np.testing.assert_allclose(metric(padded, padded, k), single)
    for metric in (mrr_at_k, precision_at_k):
        np.testing.assert_allclose(metric(padded, k), [float(metric(row, k)) for row in rows])


def test_a_query_without_relevant_documents_gets_zero_and_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        zeros = [ndcg_at_k([0, 0], [0], 10), recall_at_k([0], [0], 10), average_precision([0], [0])]
    assert zeros == [0, 0, 0]


def test_a_negative_grade_gains_nothing():
    assert ndcg_at_k([-1, 1], [1, -1], 10) == ndcg_at_k([0, 1], [1, 0], 10)
    assert mrr_at_k([-1, 1], 10) == 0.5
