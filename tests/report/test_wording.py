import pytest

from likewise.evaluation.result import Score
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
    assert " than minilm (95 % interval of the difference " in sentence
    assert sentence.count(". ") == 0
    assert sentence.endswith(").")


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
