import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likewise.errors import InputError
from likewise.evaluation.result import Difference, Evaluation, Result, Score
from likewise.evaluation.schema import from_json, read_evaluation, to_json, write_evaluation

NUMBER = st.floats(-1, 1)
NAME = st.text(min_size=1, max_size=8)


@st.composite
def evaluations(draw: st.DrawFn) -> Evaluation:
    results = []
    for _ in range(draw(st.integers(0, 3))):
        n = draw(st.integers(1, 10**6))
        metrics = draw(st.lists(NAME, min_size=1, max_size=3, unique=True))
        scores = {
            metric: Score(value=draw(NUMBER), low=draw(NUMBER), high=draw(NUMBER), n=n)
            for metric in metrics
        }
        results.append(
            Result(
                task=draw(NAME),
                evaluator="",
                primary=metrics[0],
                scores=scores,
                draws={},
                n=n,
                model=draw(NAME),
                texts_per_second=draw(st.none() | st.floats(0.1, 1e6)),
                pairs_per_second=draw(st.none() | st.floats(0.1, 1e6)),
                notes=tuple(draw(st.lists(NAME, max_size=2))),
            )
        )
    differences = [
        Difference(
            task=draw(NAME),
            metric=draw(NAME),
            model=draw(NAME),
            against=draw(NAME),
            value=draw(NUMBER),
            low=draw(NUMBER),
            high=draw(NUMBER),
            p_value=draw(NUMBER),
            p_permutation=draw(st.none() | NUMBER),
            p_holm=draw(st.none() | NUMBER),
            detectable=draw(st.none() | NUMBER),
        )
        for _ in range(draw(st.integers(0, 2)))
    ]
    verdict = draw(st.sampled_from([None, "better", "no better", "worse"]))
    return Evaluation(results=tuple(results), differences=tuple(differences), verdict=verdict)


@given(evaluations())
def test_json_and_back_gives_the_same_to_the_last_digit(evaluation: Evaluation):
    assert from_json(json.loads(json.dumps(to_json(evaluation)))) == evaluation


def one_result(primary: str) -> Result:
    score = Score(value=0.5, low=0.25, high=0.75, n=4)
    return Result(
        task="t", evaluator="e", primary=primary, scores={"b": score, "a": score}, draws={}, n=4,
        model="m", texts_per_second=7.5,
    )  # fmt: skip


def test_the_schema_is_that_of_the_design():
    difference = Difference(
        task="t", metric="a", model="m", against="o", value=0.1, low=0.0, high=0.2, p_value=0.3
    )
    made = to_json(
        Evaluation(results=(one_result("b"),), differences=(difference,), verdict="better")
    )
    assert made == {
        "schema": "likewise.evaluation/1",
        "results": [
            {
                "model": "m",
                "task": "t",
                "n": 4,
                "texts_per_second": 7.5,
                "metrics": {
                    "b": {"value": 0.5, "low": 0.25, "high": 0.75},
                    "a": {"value": 0.5, "low": 0.25, "high": 0.75},
                },
            }
        ],
        "differences": [
            {
                "task": "t",
                "metric": "a",
                "model": "m",
                "against": "o",
                "value": 0.1,
                "low": 0.0,
                "high": 0.2,
                "p_value": 0.3,
            }
        ],
        "verdict": "better",
    }


def test_what_else_is_known_of_a_difference_is_written_too():
    difference = Difference(
        task="t", metric="a", model="m", against="o", value=0.1, low=0.0, high=0.2, p_value=0.3,
        p_permutation=0.25, p_holm=0.5, detectable=0.14,
    )  # fmt: skip
    (made,) = to_json(Evaluation(results=(), differences=(difference,)))["differences"]
    assert list(made)[-3:] == ["p_permutation", "p_holm", "detectable"]
    assert [made[key] for key in list(made)[-3:]] == [0.25, 0.5, 0.14]


def test_the_primary_metric_is_written_first_and_read_as_primary():
    made = to_json(Evaluation(results=(one_result("a"),)))
    assert list(made["results"][0]["metrics"]) == ["a", "b"]
    assert from_json(made).results[0].primary == "a"


def test_a_file_is_written_whole_and_read_back(tmp_path: Path):
    evaluation = Evaluation(results=(one_result("b"),), verdict=None)
    path = tmp_path / "evaluation.json"
    path.write_text("what was there before")
    write_evaluation(evaluation, path)
    assert to_json(read_evaluation(path)) == to_json(evaluation)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "no such file"),
        ("{", "not JSON"),
        ("[]", "expected the schema"),
        ('{"schema": "other"}', 'found "other"'),
        ('{"schema": "likewise.evaluation/1"}', "a part is missing"),
        (
            '{"schema": "likewise.evaluation/1", "results": [{"n": 1, "metrics": {}}], '
            '"differences": [], "verdict": null}',
            "a part is missing",
        ),
    ],
)
def test_what_is_no_evaluation_is_refused_with_its_path(tmp_path: Path, text, problem):
    path = tmp_path / "evaluation.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=problem) as raised:
        read_evaluation(path)
    assert str(path) in str(raised.value)


def test_what_only_some_results_have_is_left_out_elsewhere():
    (plain,) = to_json(Evaluation(results=(one_result("spearman"),)))["results"]
    assert set(plain) == {"model", "task", "n", "texts_per_second", "metrics"}
