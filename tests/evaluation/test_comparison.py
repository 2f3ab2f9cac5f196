from dataclasses import replace

import pytest

from evaluation.conftest import noisy, pairs_case, random_vectors, scored_case
from likewise.evaluation.comparison import compare, conclude, conclude_run
from likewise.evaluation.differences import holm
from likewise.evaluation.pairs import evaluate_pairs
from likewise.evaluation.similarity import evaluate_similarity

SIMILARITY, RETRIEVAL = scored_case(), pairs_case()


def similarity(model, embed):
    return replace(evaluate_similarity(embed, SIMILARITY.data, resamples=200), model=model)


def retrieval(model, embed):
    return replace(evaluate_pairs(embed, RETRIEVAL.data, resamples=200), model=model)


@pytest.fixture(scope="module")
def three():
    embeds = {
        "bad": random_vectors(),
        "middling": noisy(SIMILARITY),
        "good": SIMILARITY.perfect,
    }
    return [similarity(name, embed) for name, embed in embeds.items()]


def test_every_later_model_is_held_against_the_first(three):
    found = compare(three)
    assert [(d.model, d.against, d.metric) for d in found] == [
        (model, "bad", metric)
        for model in ("middling", "good")
        for metric in ("spearman", "pearson")
    ]
    for difference, result in zip(found[::2], three[1:], strict=True):
        assert difference.value == pytest.approx(result.spearman - three[0].spearman)
        assert difference.low <= difference.value <= difference.high


def test_the_model_to_hold_against_can_be_named(three):
    assert {(d.model, d.against) for d in compare(three, against="good")} == {
        ("bad", "good"),
        ("middling", "good"),
    }


def test_only_results_of_one_task_are_compared(three):
    other = [retrieval(name, random_vectors(width)) for name, width in (("bad", 4), ("good", 5))]
    found = compare([*three, *other])
    assert {(d.task, d.metric.split("@")[0]) for d in found if d.task == other[0].task} == {
        (other[0].task, metric) for metric in ("ndcg", "recall", "mrr", "map", "precision")
    }
    assert len(found) == 2 * 2 + 6


def test_a_model_twice_or_nowhere_is_refused(three):
    with pytest.raises(ValueError, match="stands twice"):
        compare([three[0], three[0]])
    with pytest.raises(ValueError, match="absent has no result"):
        compare(three, against="absent")


def test_the_verdict_is_on_the_last_model_or_the_one_named(three):
    assert conclude(three).verdict == "better"
    assert conclude(three, against="good", subject="bad").verdict == "worse"
    assert conclude([three[0], replace(three[0], model="twin")]).verdict == "no better"
    assert conclude(three[:1]).verdict is None
    assert conclude([]).verdict is None


def test_the_leading_metrics_of_all_tasks_and_models_are_one_family(three):
    other = [retrieval(name, random_vectors(width)) for name, width in (("bad", 4), ("good", 5))]
    found = compare([*three, *other])
    leads = [d for d in found if d.metric in {"spearman", "ndcg@10"}]
    assert len(leads) == 3
    assert [d.p_holm for d in leads] == pytest.approx(holm([d.p_permutation for d in leads]))
    assert all(d.p_holm is None for d in found if d not in leads)


def test_one_comparison_alone_is_not_corrected(three):
    assert all(d.p_holm is None for d in compare(three[:2]))
    assert all(d.p_holm is None for d in conclude_run(three[:2], three[2:]).differences)


def test_worse_in_one_task_is_worse_and_better_in_one_is_better(three):
    bad, _, good = three
    worse = [retrieval("bad", RETRIEVAL.perfect), retrieval("good", random_vectors())]
    same = [retrieval(name, random_vectors()) for name in ("bad", "good")]
    assert conclude([bad, good, *worse]).verdict == "worse"
    assert conclude([bad, good, *same]).verdict == "better"


def test_what_a_run_trained_is_held_against_the_base_first_and_judged_by_it(three):
    bad, middling, good = three
    plain = replace(good, model="TF-IDF")
    found = conclude_run([plain, bad], [middling, replace(good, model="last")])
    assert [result.model for result in found.results] == ["TF-IDF", "bad", "middling", "last"]
    assert [(d.model, d.against) for d in found.differences[::2]] == [
        ("middling", "bad"),
        ("middling", "TF-IDF"),
        ("last", "bad"),
        ("last", "TF-IDF"),
    ]
    assert found.verdict == "better"  # than the base, though no better than the baseline
