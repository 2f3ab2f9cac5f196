"""Runs in stages: one folder, and each stage fed by the model of another."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from conftest import question, write_lines
from likewise.data.reading import read
from likewise.errors import InputError
from likewise.evaluation.evaluators import evaluate
from likewise.evaluation.schema import read_evaluation
from likewise.methods.run import Tell, train
from likewise.methods.stages import train_stages
from likewise.models.build import load
from likewise.report import write_report
from likewise.training.events import StepDone
from methods.stage_runs import two_stages, write_dev
from training.small_runs import Crash


@pytest.fixture
def tables(tiny_folder: Path, texts_file: Path, pairs_file: Path, tmp_path: Path) -> dict:
    return two_stages(tiny_folder, texts_file, pairs_file, write_dev(tmp_path / "dev.jsonl"))


def weights(folder: Path) -> dict[str, np.ndarray]:
    return load_file(folder / "model" / "model.safetensors")


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def manifest(folder: Path) -> dict:
    return json.loads((folder / "manifest.json").read_text())


class Notes(list):
    """What was told, and a crash at one step of the n-th stage."""

    def tell(self, crash_at: tuple[int, int] = (0, 0)) -> Tell:
        plans = []

        def watch(event) -> None:
            if isinstance(event, StepDone) and (len(plans), event.step) == crash_at:
                raise Crash

        return Tell(observers=(watch,), plan=plans.append, note=self.append)


def test_stages_feed_each_other_as_runs_one_after_the_other_would(tables, tmp_path: Path):
    run = train_stages(tables, out=tmp_path / "run")
    first, second = (tmp_path / "run" / name for name in ("1-texts", "2-pairs"))
    alone = {**tables["training"]}
    dev = tables["dev"]
    simcse, mnr = tables["stages"]
    train(tables["base"], simcse["data"], method="simcse", dev=dev, out=tmp_path / "a", **alone)
    train(
        str(tmp_path / "a" / "model"),
        mnr["data"], method="mnr", dev=dev, out=tmp_path / "b", scale=10.0, **alone,
    )  # fmt: skip
    assert same(weights(first), weights(tmp_path / "a"))
    assert same(weights(second), weights(tmp_path / "b"))
    assert same(weights(tmp_path / "run"), weights(second))
    assert np.array_equal(
        run.model.encode(["a guide"]), load(tmp_path / "run" / "model").encode(["a guide"])
    )


def test_every_stage_stands_beside_the_untouched_base(tables, tmp_path: Path):
    run = train_stages(tables, out=tmp_path / "run")
    found = run.evaluation
    base = tables["base"]
    assert [result.model for result in found.results] == ["BM25", base, "texts", "pairs"]
    for name, folder in (("texts", "1-texts"), ("pairs", "2-pairs")):
        own = evaluate(load(tmp_path / "run" / folder / "model"), read(tables["dev"]))
        scores = next(result for result in found.results if result.model == name).scores
        assert scores == own.scores
    primary = [
        (d.model, d.against) for d in found.differences if d.metric == found.results[-1].primary
    ]
    assert primary == [(m, a) for m in ("texts", "pairs") for a in (base, "BM25")]
    lead = next(d for d in found.differences if (d.model, d.against) == ("pairs", base))
    assert found.verdict == (
        "better" if lead.low > 0 else "worse" if lead.high < 0 else "no better"
    )
    kept = read_evaluation(tmp_path / "run" / "evaluation.json")
    assert [result.model for result in kept.results] == [r.model for r in found.results]
    assert (tmp_path / "run" / "1-texts" / "evaluation.json").is_file()


def test_the_folder_says_what_ran_and_can_be_run_again(tables, tmp_path: Path):
    out = tmp_path / "run"
    train_stages(tables, out=out)
    recipe = tomllib.loads((out / "recipe.toml").read_text())
    assert [stage["base"] for stage in recipe["stages"]] == [tables["base"], "stage:texts"]
    assert recipe["stages"][1]["options"]["symmetric"] is False
    found = manifest(out)
    assert set(found["files"]) == {tables["dev"], *(s["data"] for s in tables["stages"])}
    assert [stage["folder"] for stage in found["stages"].values()] == ["1-texts", "2-pairs"]
    assert any(note.startswith("stage pairs: ") for note in found["notes"]) or found["notes"] == []
    again = train_stages(out / "recipe.toml", out=tmp_path / "again")
    assert same(weights(out), weights(tmp_path / "again"))
    assert again.evaluation.verdict == read_evaluation(out / "evaluation.json").verdict


def test_the_report_shows_all_stages(tables, tmp_path: Path):
    train_stages(tables, out=tmp_path / "run")
    page = write_report(tmp_path / "run").read_text()
    for name in ("texts", "pairs", "BM25", "tiny"):
        assert name in page
    assert "stages, texts, method" in page


@pytest.mark.parametrize("crash_at", [(1, 3), (2, 3)])
def test_an_interrupted_stage_goes_on_and_finished_ones_are_read_back(
    crash_at, tables, tmp_path: Path
):
    whole = train_stages(tables, out=tmp_path / "whole")
    out = tmp_path / "run"
    with pytest.raises(Crash):
        train_stages(tables, out=out, tell=Notes().tell(crash_at))
    assert not (out / "model").exists()
    began = {path: path.stat().st_mtime_ns for path in out.glob("1-*/model/*")}
    notes = Notes()
    run = train_stages(tables, out=out, existing="resume", tell=notes.tell())
    assert same(weights(out), weights(tmp_path / "whole"))
    assert [r.scores for r in run.evaluation.results] == [
        r.scores for r in whole.evaluation.results
    ]
    assert run.evaluation.verdict == whole.evaluation.verdict
    back = [note for note in notes if "finished before" in note]
    assert len(back) == crash_at[0] - 1
    assert all(path.stat().st_mtime_ns == time for path, time in began.items())


def test_a_finished_run_stays_as_it_is(tables, tmp_path: Path):
    out = tmp_path / "run"
    train_stages(tables, out=out)
    before = weights(out)
    notes = Notes()
    run = train_stages(tables, out=out, existing="resume", tell=notes.tell())
    assert len([note for note in notes if "finished before" in note]) == 2
    assert same(weights(out), before)
    assert [r.model for r in run.evaluation.results][-2:] == ["texts", "pairs"]


def test_resume_starts_where_there_is_nothing(tables, tmp_path: Path):
    assert train_stages(tables, out=tmp_path / "run", existing="resume").evaluation is not None


def test_a_stage_may_be_added_or_changed_where_none_has_begun(tables, tmp_path: Path):
    out = tmp_path / "run"
    with pytest.raises(Crash):
        train_stages(tables, out=out, tell=Notes().tell((1, 2)))
    tables["stages"][1] |= {"name": "other", "options": {"scale": 5.0}}
    run = train_stages(tables, out=out, existing="resume")
    assert [r.model for r in run.evaluation.results][-2:] == ["texts", "other"]
    tables["stages"].append({"name": "more", "data": tables["stages"][1]["data"]})
    run = train_stages(tables, out=out, existing="resume")
    assert [r.model for r in run.evaluation.results][-3:] == ["texts", "other", "more"]
    assert (out / "3-more" / "model").is_dir()


def test_what_has_begun_is_not_changed_on_resume(tables, tmp_path: Path):
    out = tmp_path / "run"
    with pytest.raises(Crash):
        train_stages(tables, out=out, tell=Notes().tell((2, 2)))
    before = {path: path.read_bytes() for path in out.rglob("*.json")}
    for number, change, key in (
        (0, {"training": {"epochs": 2}}, "stages.texts.training.epochs"),
        (1, {"options": {"scale": 30.0}}, "stages.pairs.options.scale"),
        (1, {"name": "new"}, "stages[2].name"),
    ):
        stages = [dict(stage) for stage in tables["stages"]]
        stages[number] |= change
        with pytest.raises(InputError) as caught:
            train_stages({**tables, "stages": stages}, out=out, existing="resume")
        assert key in caught.value.problem
        assert caught.value.exit_code == 2
    assert {path: path.read_bytes() for path in out.rglob("*.json")} == before


def test_rows_and_base_of_a_finished_stage_are_held_to_what_they_were(
    tables, tmp_path: Path, tiny_folder: Path
):
    out = tmp_path / "run"
    train_stages(tables, out=out)
    texts = Path(tables["stages"][0]["data"])
    kept = texts.read_text()
    texts.write_text(kept + "one more\n")
    with pytest.raises(InputError, match='stage "texts": began on other rows'):
        train_stages(tables, out=out, existing="resume")
    texts.write_text(kept)
    encoder = load(tiny_folder)
    next(encoder.module.parameters()).data.add_(1.0)
    encoder.save(tiny_folder, overwrite=True)
    with pytest.raises(InputError, match='stage "texts": began from another base model'):
        train_stages(tables, out=out, existing="resume")


def test_a_folder_with_a_run_is_refused_or_replaced_with_its_stages(tables, tmp_path: Path):
    out = tmp_path / "run"
    train_stages(tables, out=out)
    with pytest.raises(InputError, match="exists already"):
        train_stages(tables, out=out)
    tables["stages"] = [{**tables["stages"][1], "name": "alone", "training": {"epochs": 2}}]
    run = train_stages(tables, out=out, existing="overwrite")
    assert sorted(path.name for path in out.glob("[0-9]*")) == ["1-alone"]
    assert [r.model for r in run.evaluation.results][-1] == "alone"
    tables["stages"][0]["training"] = {"epochs": 3}
    train_stages(tables, out=out, existing="overwrite")
    assert len((out / "1-alone" / "metrics.jsonl").read_text().splitlines()) > 12


def test_a_stage_that_cannot_begin_leaves_nothing(tables, tmp_path: Path):
    out = tmp_path / "run"
    tables["stages"][0] |= {"method": "triplet", "data": tables["stages"][1]["data"]}
    with pytest.raises(InputError, match=r'stage "texts": .*needs a negative'):
        train_stages(tables, out=out)
    assert not out.exists()


def test_a_cross_encoder_of_one_stage_teaches_another(tables, tmp_path: Path):
    pairs = tables["stages"][1]["data"]
    tables["stages"] = [
        {"name": "ce", "method": "cross-encoder", "data": pairs},
        {"name": "silver", "method": "augmented", "data": pairs,
         "options": {"teacher": "stage:ce", "silver": 20}},
    ]  # fmt: skip
    run = train_stages(tables, out=tmp_path / "run")
    assert [r.model for r in run.evaluation.results] == ["BM25", tables["base"], "ce", "silver"]
    recipe = tomllib.loads((tmp_path / "run" / "2-silver" / "recipe.toml").read_text())
    assert recipe["base"] == tables["base"]
    assert recipe["options"]["teacher"] == str((tmp_path / "run" / "1-ce" / "model").resolve())


def test_what_scores_pairs_stays_out_of_a_table_of_neighbours(
    tables, tmp_path: Path, tiny_folder: Path
):
    rows = [{"text": f"{question('paint', n)} {i}", "label": n} for n in "abc" for i in range(12)]
    tables["dev"] = str(write_lines(tmp_path / "labelled.jsonl", rows))
    pairs = tables["stages"][1]["data"]
    tables["stages"].append({"name": "ce", "method": "cross-encoder", "data": pairs})
    run = train_stages(tables, out=tmp_path / "run")
    assert [r.model for r in run.evaluation.results][-2:] == ["texts", "pairs"]
    assert run.evaluation.verdict is not None
    assert not (tmp_path / "run" / "3-ce" / "evaluation.json").exists()


def test_without_data_to_measure_on_the_model_is_made_and_it_is_said(tables, tmp_path: Path):
    del tables["dev"]
    run = train_stages(tables, out=tmp_path / "run")
    assert run.evaluation is None
    assert any("add dev to the recipe" in note for note in run.notes)
    assert (tmp_path / "run" / "model").is_dir()


def test_the_last_models_card_names_the_base_of_all(tables, tmp_path: Path, tiny_folder: Path):
    train_stages(tables, out=tmp_path / "run")
    assert f"Base model: {tiny_folder}" in (tmp_path / "run" / "model" / "README.md").read_text()


def test_a_run_of_one_method_does_not_go_on_as_stages_nor_the_other_way(tables, tmp_path: Path):
    pairs = tables["stages"][1]["data"]
    train(tables["base"], pairs, out=tmp_path / "one", epochs=1)
    with pytest.raises(InputError, match="begun with one method, now with stages"):
        train_stages(tables, out=tmp_path / "one", existing="resume")
    train_stages(tables, out=tmp_path / "many")
    with pytest.raises(InputError, match="begun with stages, now with one method"):
        train(tables["base"], pairs, out=tmp_path / "many", existing="resume", epochs=1)
    train(tables["base"], pairs, out=tmp_path / "many", existing="overwrite", epochs=1)
    assert list((tmp_path / "many").glob("[0-9]*")) == []
