import math
from dataclasses import replace

import numpy as np
import pytest

from likewise.cli.results import describe, show_evaluation
from likewise.evaluation.result import Difference, Evaluation, Result, Score


def result(model: str, task: str = "sts", *, speed: float | None = None, **values: float) -> Result:
    scores = {
        name.replace("_", "@"): Score(value=v, low=v - 0.05, high=v + 0.05, n=20)
        for name, v in values.items()
    }
    return Result(
        task=task, evaluator="similarity", primary=next(iter(scores)), scores=scores,
        draws={name: np.zeros(3) for name in scores}, n=1200, model=model, texts_per_second=speed,
    )  # fmt: skip


def difference(metric: str = "spearman", task: str = "sts", value: float = 0.1) -> Difference:
    return Difference(
        task=task, metric=metric, model="trained", against="base", value=value,
        low=value - 0.02, high=value + 0.02, p_value=0.0123,
    )  # fmt: skip


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]):
    def show(evaluation: Evaluation, *metrics: str) -> list[str]:
        show_evaluation(evaluation, metrics or None)
        out, err = capsys.readouterr()
        assert err == ""
        return out.splitlines()

    return show


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("│")[1:-1]]


def test_a_difference_is_one_line_with_its_interval_and_chance():
    assert describe(difference()) == (
        "spearman: trained against base +0.100 (+0.080 to +0.120, p = 0.0123)"
    )
    assert "-0.100 (-0.120 to -0.080" in describe(difference(value=-0.1))


def test_what_is_known_besides_is_said_and_what_would_have_shown():
    known = replace(difference(value=0.01), p_permutation=0.025, p_holm=0.05, detectable=0.0284)
    assert describe(known) == (
        "spearman: trained against base +0.010 (-0.010 to +0.030, p = 0.0123, by permutation "
        "0.0250, corrected 0.0500): no better, a difference of 0.028 or more would have shown"
    )


def test_models_of_a_task_stand_below_one_another_with_intervals(shown):
    results = (
        result("tf-idf", spearman=0.4),
        result("base", speed=1234.5, spearman=0.5, pearson=0.6),
        result("trained", speed=1200, spearman=0.6, pearson=0.7),
    )
    lines = shown(Evaluation(results=results, differences=(difference(), difference("pearson"))))
    assert lines[0].strip() == "sts, 1,200 items, 95 % intervals"
    rows = [cells(line) for line in lines if "0." in line and "│" in line]
    assert rows[0] == ["tf-idf", "0.400 (0.350–0.450)", ""]
    assert lines[-1] == describe(difference())  # of the first metric alone


def test_a_score_without_an_interval_stands_alone(shown):
    alone = result("base", spearman=0.5)
    scores = {"spearman": replace(alone.scores["spearman"], low=math.nan, high=math.nan)}
    lines = shown(Evaluation(results=(replace(alone, scores=scores),)))
    assert "sts, 1,200 items" in "\n".join(lines)
    assert not any("intervals" in line for line in lines)
    assert ["base", "0.500", ""] in [cells(line) for line in lines]


def test_a_metric_that_one_model_lacks_is_an_empty_cell(shown):
    results = (
        result("base", spearman=0.5, pearson=0.6),
        result("tf-idf", spearman=0.4),
    )
    lines = shown(Evaluation(results=results))
    rows = [cells(line) for line in lines if "0." in line and "│" in line]
    assert rows[1] == ["tf-idf", "0.400 (0.350–0.450)", "", ""]


def test_every_task_has_its_own_table(shown):
    results = (result("base", "sts", spearman=0.5), result("base", "code", ndcg_10=0.3))
    both = (difference(), difference("ndcg@10", "code", -0.1))
    lines = shown(Evaluation(results=results, differences=both))
    titles = [line.strip() for line in lines if "items" in line]
    assert titles == [f"{task}, 1,200 items, 95 % intervals" for task in ("sts", "code")]
    below = [line for line in lines if "items" in line or "against" in line]
    assert [line.strip() for line in below] == [
        titles[0], describe(both[0]), titles[1], describe(both[1]),
    ]  # fmt: skip


def test_metrics_can_be_chosen(shown):
    one = result("base", ndcg_10=0.5, recall_10=0.6, mrr_10=0.7)
    text = "\n".join(shown(Evaluation(results=(one,)), "mrr@10", "ndcg@10"))
    assert text.index("mrr@10") < text.index("ndcg@10")
    assert "recall@10" not in text


def test_a_model_of_pairs_has_a_speed_of_its_own_and_notes_stand_below(shown):
    cross = replace(result("cross", spearman=0.7), pairs_per_second=321.0, notes=("a sample",))
    lines = shown(Evaluation(results=(result("base", speed=1200, spearman=0.5), cross)))
    rows = [cells(line) for line in lines if "0." in line and "│" in line]
    assert [row[2:] for row in rows] == [["1,200", ""], ["", "321"]]
    assert lines[-1] == "a sample"
    lines = shown(Evaluation(results=(cross,)))
    assert "pairs/s" in " ".join(lines)
    assert "texts/s" not in " ".join(lines)
