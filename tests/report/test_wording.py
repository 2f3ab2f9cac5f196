import pytest

from likewise.evaluation.result import Difference, Evaluation, Result, Score
from likewise.report.record import read_run
from likewise.report.wording import (
    chance,
    duration,
    interval,
    leading_difference,
    metric_name,
    number,
    signed,
    verdict_sentence,
    why_no_better,
)


@pytest.fixture
def evaluation_with(write_run, evaluation):
    def evaluation_with(verdict, value):
        changed = evaluation()
        changed["verdict"] = verdict
        changed["differences"][1] |= {"value": value, "low": value - 0.01, "high": value + 0.01}
        return read_run(write_run(verdict or "none", evaluation=changed)).evaluation

    return evaluation_with


@pytest.mark.parametrize(
    ("verdict", "value", "said"),
    [
        (
            "better",
            0.083,
            "Better: on stdlib-code-search, trained reaches nDCG@10 0.683, 0.083 more",
        ),
        ("worse", -0.05, "Worse than where it started: on stdlib-code-search, trained"),
        ("no better", 0.002, "No better: on stdlib-code-search, trained"),
    ],
)
def test_the_verdict_is_one_sentence_that_holds_its_reason(evaluation_with, verdict, value, said):
    sentence = verdict_sentence(evaluation_with(verdict, value))
    assert sentence.startswith(said)
    assert "would have shown" not in sentence  # older files do not know it
    assert " than minilm (95 % interval of the difference " in sentence
    assert sentence.count(". ") == 0
    assert sentence.endswith(").")


def difference(**changed) -> Difference:
    usual = {"value": 0.01, "low": -0.01, "high": 0.03, "p_value": 0.2, "detectable": 0.0284}
    return Difference(task="t", metric="spearman", model="a", against="b", **usual | changed)


def test_no_better_always_says_what_would_have_shown():
    found = difference(p_permutation=0.25)
    score = Score(value=0.7, low=0.6, high=0.8, n=9)
    results = [
        Result(
            task="t", evaluator="", primary="spearman", scores={"spearman": score}, draws={}, n=9,
            model=model,
        )
        for model in ("b", "a")
    ]  # fmt: skip
    evaluation = Evaluation(results=tuple(results), differences=(found,), verdict="no better")
    assert verdict_sentence(evaluation) == (
        "No better: on t, a reaches Spearman 0.700, 0.010 more than b (95 % interval of the "
        "difference −0.010 to +0.030, p = 0.200, by permutation = 0.250); a difference of 0.028 "
        "or more would have shown."
    )


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, "a difference of 0.028 or more would have shown"),
        ({"detectable": 0.0002}, "a difference of 0.001 or more would have shown"),
        ({"detectable": 0.0, "value": 0.0, "low": 0.0, "high": 0.0}, "every item scores alike"),
        ({"detectable": None}, ""),
        ({"low": 0.001}, ""),
        ({"high": -0.001, "low": -0.1}, ""),
        (
            {"low": 0.001, "p_holm": 0.08},
            "among several comparisons not sure: p = 0.080 after Holm's correction, and not below "
            "0.05; a difference of 0.028 or more would have shown",
        ),
        (
            {"low": 0.001, "p_holm": 0.08, "detectable": None},
            "among several comparisons not sure: p = 0.080 after Holm's correction, and not below "
            "0.05",
        ),
    ],
)
def test_the_reason_is_there_where_the_verdict_is_no_better(changed, reason):
    assert why_no_better(difference(**changed)) == reason


def test_without_a_comparison_there_is_no_judgement(write_run, evaluation):
    alone = evaluation() | {"differences": [], "verdict": None}
    said = verdict_sentence(read_run(write_run(evaluation=alone)).evaluation)
    assert said.endswith("there is nothing to compare it with.")
    nothing = {"schema": alone["schema"], "results": [], "differences": [], "verdict": None}
    empty = read_run(write_run("empty", evaluation=nothing)).evaluation
    assert verdict_sentence(empty) == "Nothing was evaluated."


def test_the_leading_difference_is_to_the_model_that_training_started_from(write_run):
    difference = leading_difference(read_run(write_run()).evaluation)
    assert (difference.model, difference.against, difference.metric) == (
        "trained",
        "minilm",
        "ndcg@10",
    )


def test_numbers_are_said_as_people_write_them():
    assert [number(v) for v in (0.12345, -2.0, 123.4, float("nan"), float("inf"))] == [
        "0.123",
        "−2.000",
        "123",
        "not a number",
        "infinite",
    ]
    assert [signed(v) for v in (0.1, -0.1, 0.0)] == ["+0.100", "−0.100", "+0.000"]
    assert [duration(s) for s in (59.94, 60, 3600)] == ["59.9 s", "1 min 0 s", "1 h 0 min"]
    assert [metric_name(m) for m in ("mrr@10", "map@100", "own")] == ["MRR@10", "MAP@100", "own"]
    assert chance(0.0) == "≤\xa00.001"


def test_an_interval_that_may_be_negative_is_not_written_with_a_dash():
    assert interval(Score(value=0.0, low=-0.1, high=0.1, n=9)) == "−0.100 to 0.100"
