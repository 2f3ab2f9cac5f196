import json

import pytest

from likewise.errors import InputError
from likewise.report.record import read_run


def test_everything_in_the_folder_is_read(write_run):
    run = read_run(write_run())
    assert run.name == "first"
    assert [result.model for result in run.evaluation.results] == ["bm25", "minilm", "trained"]
    assert len(run.steps) == 68
    assert [event.step for event in run.evaluated] == [0, 17, 34, 51, 68]
    assert run.manifest["rows"] == {"train": 4348, "test": 853}
    assert run.recipe.startswith('base = "minilm"')
    assert run.diagnosis is not None
    assert len(run.diagnosis.errors) == 4


def test_the_command_can_be_typed_again(write_run):
    assert read_run(write_run()).command == "likewise train 'my pairs.csv' --out runs/first"


def test_only_the_evaluation_has_to_be_there(write_run):
    folder = write_run(manifest=None, report_data=None, metrics=None, recipe=None)
    run = read_run(folder)
    assert (run.manifest, run.steps, run.recipe, run.command) == ({}, (), "", "")
    assert run.diagnosis is None


def test_what_a_resumed_run_did_again_counts_once(write_run, metrics_lines):
    lines = metrics_lines(4)
    again = [line | {"loss": 9.0} for line in lines if line["step"] > 2]
    run = read_run(write_run(metrics=[*lines, {"event": "saved", "step": 2, "path": "x"}, *again]))
    assert [step.step for step in run.steps] == [1, 2, 3, 4]
    assert [step.loss == 9.0 for step in run.steps] == [False, False, True, True]


def test_half_a_last_line_is_no_reason_to_refuse(write_run, metrics_lines):
    text = "".join(json.dumps(line) + "\n" for line in metrics_lines(3)) + '{"event": "step", "lo'
    assert len(read_run(write_run(metrics=text)).steps) == 3


def test_a_damaged_line_is_named(write_run, metrics_lines):
    first, *rest = (json.dumps(line) for line in metrics_lines(3))
    text = "\n".join([first, "oops", *rest]) + "\n"
    with pytest.raises(InputError, match=r"metrics\.jsonl, row 2: expected a training event"):
        read_run(write_run(metrics=text))


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="nowhere: does not exist") as caught:
        read_run(tmp_path / "nowhere")
    assert "likewise train --out FOLDER" in caught.value.mend
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file: is not a folder"):
        read_run(tmp_path / "file")


def test_a_folder_without_an_evaluation_says_which_kind_it_is(write_run, tmp_path):
    with pytest.raises(InputError, match=r"not the folder of a run: it has no evaluation\.json"):
        read_run(tmp_path)
    with pytest.raises(InputError, match=r"a run without evaluation\.json") as caught:
        read_run(write_run(evaluation=None))
    assert "--resume" in caught.value.mend


@pytest.mark.parametrize("damaged", ["evaluation", "manifest", "report_data"])
def test_a_damaged_file_is_named(write_run, damaged):
    for name, text in (
        ("cut", '{"schema": '),
        ("other", '{"schema": "another/1"}'),
        ("list", "[]"),
    ):
        if damaged == "manifest" and name == "other":
            continue  # a manifest may hold anything
        with pytest.raises(InputError, match=rf"{damaged}\.json: "):
            read_run(write_run(f"{damaged}-{name}", **{damaged: text}))
