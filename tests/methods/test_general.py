"""General skill: measured before and after, told apart from what the run is about."""

import json
from pathlib import Path

import pytest

from likewise.data.reading import read
from likewise.errors import InputError
from likewise.evaluation.evaluators import evaluate
from likewise.evaluation.schema import read_evaluation
from likewise.methods import train
from likewise.report.wording import cost_sentences

QUICK = {"batch_size": 16, "precision": "float32", "evaluations": 0, "learning_rate": 1e-3}


@pytest.fixture
def general_file(tmp_path: Path) -> Path:
    rows = [
        {"sentence1": f"people carry {i}", "sentence2": f"a garden of {i % 5}", "score": i % 4}
        for i in range(12)
    ]
    path = tmp_path / "general.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_both_models_are_measured_on_it(new_encoder, pairs_file, general_file, tmp_path: Path):
    out = tmp_path / "run"
    options = {**QUICK, "general": str(general_file)}
    run = train(new_encoder(), pairs_file, dev=pairs_file, out=out, allow_leak=True, **options)
    before, after = run.evaluation.general.results
    assert (before.model, after.model) == ("base", "trained")
    assert before.scores == evaluate(new_encoder(), read(general_file)).scores
    assert after.scores == evaluate(run.model, read(general_file)).scores
    assert run.evaluation.general.differences[0].against == "base"
    assert {result.task for result in run.evaluation.results} == {"pairs"}
    kept = read_evaluation(out / "evaluation.json")
    assert kept.general.differences == run.evaluation.general.differences
    assert [r.scores for r in kept.general.results] == [before.scores, after.scores]
    (sentence,) = cost_sentences(kept)
    assert sentence.startswith("General skill, general: Spearman ")


def test_without_dev_data_it_is_measured_too(new_encoder, pairs_file, general_file, tmp_path: Path):
    run = train(
        new_encoder(), pairs_file, out=tmp_path / "run", **QUICK, general=(str(general_file),)
    )
    assert run.evaluation.results == ()
    assert len(run.evaluation.general.results) == 2


def test_the_verdict_does_not_rest_on_it(new_encoder, pairs_file, general_file, tmp_path: Path):
    one, other = (
        train(
            new_encoder(), pairs_file, dev=pairs_file, out=tmp_path / name, allow_leak=True,
            **QUICK, general=general,
        )
        for name, general in (("a", ()), ("b", (str(general_file),)))
    )  # fmt: skip
    assert one.evaluation.general is None
    assert one.evaluation.differences == other.evaluation.differences
    assert one.evaluation.verdict == other.evaluation.verdict


def test_rows_that_are_trained_on_are_told(new_encoder, pairs_file, tmp_path: Path):
    options = {**QUICK, "general": (str(pairs_file),)}
    run = train(new_encoder(), pairs_file, out=tmp_path / "run", **options)
    assert "64 of 64 rows of pairs are trained on: no measure of what is kept" in run.notes


@pytest.mark.parametrize(
    ("general", "method", "problem"),
    [
        ("nowhere.csv", "mnr", "no such file"),
        ("{general},{general}", "mnr", 'two sets of general skill have the name "general"'),
        ("{general}", "cross-encoder", "a new head has no general skill to lose"),
        ("{texts}", "mnr", 'data of kind "texts" cannot be evaluated'),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_is_written(
    general, method, problem, new_encoder, pairs_file, general_file, texts_file, tmp_path: Path
):
    named = general.format(general=general_file, texts=texts_file)
    with pytest.raises(InputError, match=problem):
        train(
            new_encoder(), pairs_file, method=method, out=tmp_path / "run", **QUICK, general=named
        )
    assert not (tmp_path / "run").exists()
