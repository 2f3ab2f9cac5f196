import hashlib
import json
from pathlib import Path

import pytest
import torch

from likewise.errors import InputError
from likewise.training.events import Evaluated, Saved, StepDone
from likewise.training.run_folder import (
    MetricsFile,
    add_to_manifest,
    clear_run,
    open_run,
    read_manifest,
    refuse_other_run,
    write_json,
    write_manifest,
)


def a_run(folder: Path) -> Path:
    folder.mkdir()
    write_manifest(folder, files=[], base="minilm", facts={})
    return folder


def a_stranger(folder: Path) -> Path:
    folder.mkdir()
    (folder / "thesis.txt").write_text("all of it")
    return folder


@pytest.mark.parametrize("mode", [{}, {"resume": True}, {"overwrite": True}])
def test_a_new_or_empty_folder_is_opened(tmp_path: Path, mode: dict):
    for name in ("new", "deeper/new"):
        open_run(tmp_path / name, **({"overwrite": False, "resume": False} | mode))
        open_run(tmp_path / name, **({"overwrite": False, "resume": False} | mode))
        assert (tmp_path / name).is_dir()


def test_a_run_is_replaced_or_gone_on_with_only_when_asked(tmp_path: Path):
    folder = a_run(tmp_path / "run")
    with pytest.raises(InputError, match="exists already") as caught:
        open_run(folder, overwrite=False, resume=False)
    assert "--resume" in caught.value.mend
    assert "--overwrite" in caught.value.mend
    open_run(folder, overwrite=False, resume=True)
    open_run(folder, overwrite=True, resume=False)


@pytest.mark.parametrize("mode", ["overwrite", "resume"])
def test_a_folder_that_is_no_run_is_never_written_into(tmp_path: Path, mode: str):
    folder = a_stranger(tmp_path / "mine")
    with pytest.raises(InputError, match="is not a run of Likewise"):
        open_run(folder, **({"overwrite": False, "resume": False} | {mode: True}))
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("mode", ["overwrite", "resume", "neither"])
def test_a_file_is_no_place_for_a_run(tmp_path: Path, mode: str):
    path = tmp_path / "file"
    path.write_text("text")
    with pytest.raises(InputError):
        open_run(path, overwrite=mode == "overwrite", resume=mode == "resume")
    assert path.read_text() == "text"


BEGAN = {"base_sha256": "a", "train": {"rows": 3}, "seed": 1}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"base_sha256": "b"}, "began from another base model"),
        ({"train": {"rows": 4}}, "began on other rows"),
    ],
)
def test_a_run_that_began_otherwise_is_not_gone_on_with(tmp_path: Path, change: dict, said: str):
    write_manifest(tmp_path, files=[], base="minilm", facts=BEGAN)
    with pytest.raises(InputError, match=f"{tmp_path}: {said}"):
        refuse_other_run(tmp_path, BEGAN | change)


def test_a_run_may_go_on_as_it_began_or_begin(tmp_path: Path):
    refuse_other_run(tmp_path, BEGAN)
    write_manifest(tmp_path, files=[], base="minilm", facts=BEGAN)
    refuse_other_run(tmp_path, BEGAN | {"seed": 2})


def test_the_manifest_says_what_ran_on_what(tmp_path: Path):
    data = tmp_path / "pairs.csv"
    data.write_text("anchor,positive\n")
    write_manifest(tmp_path, files=[str(data), "hub:a/b"], base="minilm", facts={"seed": 3})
    add_to_manifest(tmp_path, {"cut": {"anchor": 0}})
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    hashed = hashlib.sha256(data.read_bytes()).hexdigest()
    assert manifest["files"] == {str(data): hashed, "hub:a/b": None}
    assert manifest["schema"] == "likewise.manifest/1"
    assert (manifest["base"], manifest["seed"], manifest["cut"]) == ("minilm", 3, {"anchor": 0})
    assert manifest["packages"]["torch"] == torch.__version__
    assert manifest["machine"]["threads"] == torch.get_num_threads()
    assert manifest["command"]


def test_json_is_there_whole_or_not_at_all(tmp_path: Path):
    path = tmp_path / "value.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["value.json"]


def step(number: int) -> StepDone:
    return StepDone(
        step=number,
        loss=1.0,
        rate=1e-4,
        gradient_norm=1.0,
        rows=2,
        texts=4,
        tokens=20,
        masked=1,
        seconds=0.5,
    )


def test_every_event_is_a_line(tmp_path: Path):
    metrics = MetricsFile(tmp_path)
    metrics(Evaluated(step=0, metric="ndcg@10", value=0.5, low=0.4, high=0.6))
    metrics(step(1))
    metrics(Saved(step=1, path="somewhere"))
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["evaluated", "step", "saved"]
    assert lines[1]["masked"] == 1


@pytest.mark.parametrize("tail", ["", '{"event": "step", "st', "\x00\x00\n", "[]\n", "3\n"])
def test_going_on_keeps_what_came_before_the_checkpoint(tmp_path: Path, tail: str):
    metrics = MetricsFile(tmp_path)
    for number in (1, 2, 3):
        metrics(step(number))
    path = tmp_path / "metrics.jsonl"
    whole = path.read_text().splitlines(keepends=True)
    path.write_text("".join(whole) + tail)
    MetricsFile(tmp_path, keep_until=2)
    assert path.read_text() == "".join(whole[:2])


def test_a_new_run_starts_its_metrics_anew(tmp_path: Path):
    MetricsFile(tmp_path)(step(1))
    MetricsFile(tmp_path)
    assert (tmp_path / "metrics.jsonl").read_text() == ""


def test_what_a_run_and_its_stages_left_is_taken_away_and_nothing_else(tmp_path: Path):
    folder = a_run(tmp_path / "run")
    stages = {name: {"folder": name} for name in ("1-texts", "2-pairs", "../other", "kept")}
    add_to_manifest(folder, {"stages": stages})
    for name in ("1-texts", "2-pairs", "3-new", "kept", "model", "checkpoints", "../other"):
        (folder / name).mkdir()
    for name in ("metrics.jsonl", "evaluation.json", "report_data.json", "report.html", "my.txt"):
        (folder / name).write_text("")
    clear_run(folder)
    left = {path.name for path in folder.iterdir()}
    assert left == {"3-new", "kept", "manifest.json", "my.txt"}
    assert (tmp_path / "other").is_dir()


def test_a_manifest_that_is_not_there_says_nothing(tmp_path: Path):
    assert read_manifest(tmp_path) == {}
    assert read_manifest(a_run(tmp_path / "run"))["base"] == "minilm"
