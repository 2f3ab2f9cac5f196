"""`likewise train`, as it is typed."""

import json
import math
import shutil
import signal
import time
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from conftest import make_folder
from likewise.evaluation import from_json, read_evaluation, to_json
from likewise.models import load


def lines(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def steps(run: Path) -> list[dict[str, Any]]:
    return [line for line in lines(run) if line["event"] == "step"]


def recipe(run: Path) -> dict[str, Any]:
    return tomllib.loads((run / "recipe.toml").read_text())


def weights(run: Path) -> dict[str, np.ndarray]:
    return load_file(run / "model" / "model.safetensors")


def assert_same_weights(one: Path, other: Path) -> None:
    found, expected = weights(one), weights(other)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def assert_is_an_evaluation(value: Any) -> None:
    """What DESIGN promises under "likewise.evaluation/1", key by key."""
    assert set(value) == {"schema", "results", "differences", "verdict"}
    assert value["schema"] == "likewise.evaluation/1"
    for result in value["results"]:
        assert set(result) == {"model", "task", "n", "texts_per_second", "metrics"}
        assert isinstance(result["n"], int)
        for score in result["metrics"].values():
            assert set(score) == {"value", "low", "high"}
            assert score["low"] <= score["value"] <= score["high"]
    for one in value["differences"]:
        shape = {"task", "metric", "model", "against", "value", "low", "high", "p_value"}
        assert set(one) == shape
        assert 0 <= one["p_value"] <= 1
    assert value["verdict"] in {"better", "no better", "worse", None}


def test_pairs_with_dev_data_are_trained_on_measured_and_told(
    run, small, pairs_file: Path, dev_pairs_file: Path, tmp_path: Path, tiny_folder: Path
):
    out = tmp_path / "run"
    code, said, err = run("train", pairs_file, "--dev", dev_pairs_file, *small, "--out", out)
    assert code == 0
    assert f"model:  {out / 'model'}\n" in said
    assert f"report: {out / 'report.html'}\n" in said
    assert "bm25" in said.lower()
    assert said.count("trained against") >= 2
    assert "plan: 64 rows, 128 distinct texts, 4 steps" in err
    assert "dev, the base model: " in err
    assert "dev, step 4: " in err
    assert {path.name for path in out.iterdir()} >= {
        "recipe.toml", "manifest.json", "metrics.jsonl", "evaluation.json", "report.html", "model",
    }  # fmt: skip
    assert len(steps(out)) == 4
    before, after = (load(folder).encode(["a guide"]) for folder in (tiny_folder, out / "model"))
    assert not np.array_equal(before, after)


def test_json_is_an_evaluation_and_the_only_thing_on_stdout(
    run, small, pairs_file: Path, dev_pairs_file: Path, tmp_path: Path
):
    out = tmp_path / "run"
    words = ("train", pairs_file, "--dev", dev_pairs_file, *small, "--out", out, "--json")
    code, said, _ = run(*words)
    assert code == 0
    value = json.loads(said)
    assert_is_an_evaluation(value)
    assert value == json.loads((out / "evaluation.json").read_text())
    assert to_json(from_json(value)) == value
    assert [result["model"] for result in value["results"]][-1] == "trained"
    assert value["verdict"] is not None


def test_json_without_dev_data_is_an_evaluation_of_nothing(
    run, small, pairs_file: Path, tmp_path: Path
):
    code, said, _ = run("train", pairs_file, *small, "--out", tmp_path / "run", "--json")
    assert code == 0
    value = json.loads(said)
    assert_is_an_evaluation(value)
    assert (value["results"], value["verdict"]) == ([], None)


def test_quiet_leaves_the_result_alone(
    run, small, pairs_file: Path, dev_pairs_file: Path, tmp_path: Path
):
    words = ("train", pairs_file, "--dev", dev_pairs_file, *small, "--out", tmp_path / "run")
    code, said, err = run(*words, "--quiet")
    assert (code, err) == (0, "")
    assert "model: " in said


def test_without_dev_data_a_tenth_is_held_out(run, small, many_pairs_file: Path, tmp_path: Path):
    out = tmp_path / "run"
    code, _, err = run("train", many_pairs_file, *small, "--out", out)
    assert code == 0
    manifest = json.loads((out / "manifest.json").read_text())
    rows = manifest["train"]["rows"], manifest["dev"]["rows"]
    assert sum(rows) == 256
    assert 20 <= rows[1] <= 30
    assert f"no dev data given: {rows[1]} rows" in err
    assert read_evaluation(out / "evaluation.json").results[-1].n == rows[1]


def test_too_few_rows_to_hold_some_out_leave_the_question_open(
    run, small, pairs_file: Path, tmp_path: Path
):
    out = tmp_path / "run"
    code, said, err = run("train", pairs_file, *small, "--out", out)
    assert code == 0
    assert "this run cannot say whether the model became better" in err
    assert said == f"model:  {out / 'model'}\n"
    assert not (out / "evaluation.json").exists()
    assert (out / "model" / "model.safetensors").is_file()


def test_scored_pairs_are_trained_towards_their_scores(
    run, small, scored_file: Path, tmp_path: Path
):
    rows = scored_file.read_text().splitlines(keepends=True)
    dev = tmp_path / "dev.jsonl"
    scored_file.write_text("".join(rows[:40]))
    dev.write_text("".join(rows[40:]).replace("How do", "can"))
    out = tmp_path / "run"
    words = ("train", scored_file, "--dev", dev, *small, "--out", out)
    code, said, err = run(*words, "--score-range", "0:5")
    assert code == 0
    assert recipe(out)["method"] == "cosine"
    assert "spearman" in said
    assert "scores from 0 to 5" in err


@pytest.mark.parametrize("method", ["mnr", "softmax", "cosine"])
def test_nli_rows_are_trained_on_by_every_method_that_takes_them(
    method: str, run, small, nli_file: Path, scored_file: Path, tmp_path: Path
):
    out = tmp_path / "run"
    words = ("train", nli_file, "--method", method, "--dev", scored_file, *small, "--out", out)
    code, _, err = run(*words)
    assert code == 0
    assert recipe(out)["method"] == method
    rows = 32 if method == "mnr" else 96  # only what is entailed is a pair
    assert f"plan: {rows} rows" in err
    if method == "mnr":
        assert "neutral" in err


def test_columns_and_several_files_are_taken(run, small, tmp_path: Path):
    for name, start in (("a.csv", 0), ("b.csv", 20)):
        rows = "".join(f"paint {i},a guide to {i},x\n" for i in range(start, start + 20))
        (tmp_path / name).write_text("title,body,other\n" + rows)
    out = tmp_path / "run"
    words = ("train", tmp_path / "a.csv", tmp_path / "b.csv", *small, "--out", out)
    code, _, err = run(*words, "--columns", "anchor=title,positive=body")
    assert code == 0
    assert "plan: 40 rows" in err
    assert len(recipe(out)["data"]) == 2


def test_bad_rows_are_skipped_where_asked_and_counted(run, small, tmp_path: Path):
    path = tmp_path / "some.csv"
    rows = "".join(f"a {i},b {i},{i % 6}\n" for i in range(40))
    path.write_text("sentence1,sentence2,score\n" + rows + "c,d,high\n")
    out = tmp_path / "run"
    assert run("train", path, *small, "--out", out)[0] == 2
    code, _, err = run("train", path, *small, "--out", out, "--skip-bad")
    assert code == 0
    assert "plan: 40 rows" in err
    assert "bad rows skipped: 1" in err


def test_a_recipe_is_followed_and_flags_win_over_it(
    run, tiny_folder: Path, pairs_file: Path, tmp_path: Path
):
    path = tmp_path / "my.toml"
    path.write_text(
        f'data = ["{pairs_file}"]\nbase = "{tiny_folder}"\nmethod = "mnr"\n'
        "[training]\nepochs = 3.0\nbatch_size = 16\nlearning_rate = 1e-3\n"
        "[options]\nscale = 10.0\nsymmetric = true\n"
    )
    out = tmp_path / "run"
    flags = ("--epochs", 1, "--set", "scale=30")
    assert run("train", "--recipe", path, "--out", out, *flags)[0] == 0
    found = recipe(out)
    assert found["training"]["epochs"] == 1
    assert found["training"]["batch_size"] == 16
    assert found["training"]["learning_rate"] == 1e-3
    assert found["options"] == {"scale": 30.0, "symmetric": True, "negatives": "hard"}
    assert len(steps(out)) == 4


def test_what_ran_can_be_run_again_from_its_own_recipe(
    run, small, pairs_file: Path, dev_pairs_file: Path, tmp_path: Path
):
    first, second = tmp_path / "first", tmp_path / "second"
    words = ("train", pairs_file, "--dev", dev_pairs_file, *small, "--set", "scale=12")
    assert run(*words, "--out", first)[0] == 0
    assert run("train", "--recipe", first / "recipe.toml", "--out", second)[0] == 0
    assert recipe(first) == recipe(second)
    assert_same_weights(first, second)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("epoch = 3", 'the recipe has no key "epoch"'),
        ("[training]\nepoch = 3", '[training] has no key "epoch"\nTo mend: it takes: epochs'),
        ("[training]\nepochs = 'many'", "epochs: input should be a valid number"),
        ("training = 3", "training: expected a table, found 3"),
        ("options = 3", "options: expected a table, found 3"),
        ("data = 3", "data"),
        ("[options]\nscal = 3", '"scal"\nTo mend: it may be: scale'),
        ("epochs =", "not TOML"),
        ("[loss]\nscale = 30", 'the recipe has no key "loss"'),
    ],
)
def test_a_recipe_that_cannot_be_is_refused_with_its_name(
    text: str, said: str, run, small, pairs_file: Path, tmp_path: Path
):
    path, out = tmp_path / "my.toml", tmp_path / "run"
    path.write_text(text)
    data = () if text.startswith("data") else (pairs_file,)
    code, told, err = run("train", *data, "--recipe", path, *small[:2], "--out", out)
    assert (code, told) == (2, "")
    assert said in err
    assert "\nTo mend: " in err
    assert not out.exists()


def test_the_clock_ends_a_run(run, small, pairs_file: Path, dev_pairs_file: Path, tmp_path: Path):
    out = tmp_path / "run"
    words = ("train", pairs_file, "--dev", dev_pairs_file, *small, "--out", out)
    began = time.monotonic()
    code, _, err = run(*words, "--minutes", 0.02, "--keep", "last")
    assert code == 0
    assert time.monotonic() - began < 60
    assert "as many steps as the clock allows" in err
    done = steps(out)
    assert all(line["seconds"] < 1.2 for line in done[:-1])
    assert done[-1]["seconds"] >= 1.2
    left = 1 - done[-2]["seconds"] / 1.2  # of the time, when the last step began
    assert done[-1]["rate"] == pytest.approx(5e-5 * left / 0.9, abs=1e-6)  # 0.1 was the warm-up
    assert [line["step"] for line in lines(out) if line["event"] == "evaluated"][-1] == len(done)


def test_an_unfinished_run_goes_on_and_a_finished_one_stays(
    run, small, pairs_file: Path, dev_pairs_file: Path, tmp_path: Path
):
    out, whole = tmp_path / "run", tmp_path / "whole"
    words = ("train", pairs_file, "--dev", dev_pairs_file, *small, "--checkpoint-every", 2)
    assert run(*words, "--out", whole)[0] == 0
    assert run(*words, "--out", out)[0] == 0
    # as a crash after step 3 would have left it
    (out / "checkpoints" / "step-00000004").rename(tmp_path / "away")
    (out / "evaluation.json").unlink()
    code, _, err = run(*words, "--out", out, "--resume")
    assert code == 0
    assert "dev, the base model" not in err  # that was measured and told before
    assert [line["step"] for line in steps(out)] == [1, 2, 3, 4]
    assert_same_weights(out, whole)
    before = steps(out)
    assert run(*words, "--out", out, "--resume")[0] == 0
    assert steps(out) == before
    assert_same_weights(out, whole)
    scores = [read_evaluation(path / "evaluation.json").results[-1].scores for path in (out, whole)]
    assert scores[0] == scores[1]


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(
    run, small, pairs_file: Path, tmp_path: Path
):
    out, whole = tmp_path / "run", tmp_path / "whole"
    words = ("train", pairs_file, *small, "--checkpoint-every", 1)
    assert run(*words, "--out", whole)[0] == 0
    assert run(*words, "--out", out)[0] == 0
    newest = out / "checkpoints" / "step-00000004" / "model.safetensors"
    newest.write_bytes(newest.read_bytes()[:-100])
    assert run(*words, "--out", out, "--resume")[0] == 0
    assert [line["step"] for line in steps(out)] == [1, 2, 3, 4]
    assert_same_weights(out, whole)


@pytest.mark.parametrize("change", ["base", "data", "method", "weights", "rows"])
def test_a_run_does_not_go_on_as_another(
    change: str, run, small, tiny_folder: Path, nli_file: Path, pairs_file: Path, tmp_path: Path
):
    out = tmp_path / "run"
    words = ["train", nli_file, *small, "--checkpoint-every", 2, "--out", out]
    assert run(*words)[0] == 0
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    if change == "base":
        words[words.index("--base") + 1] = make_folder(tmp_path / "other", width=16)
    elif change == "data":
        words[1] = pairs_file
    elif change == "method":
        words += ["--method", "softmax"]
    elif change == "weights":
        shutil.copy(out / "model" / "model.safetensors", tiny_folder)
    else:
        nli_file.write_text(nli_file.read_text().replace("apple", "garden"))
    code, told, err = run(*words, "--resume")
    assert (code, told) == (2, "")
    assert str(out) in err
    assert "\nTo mend: " in err
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_overwriting_replaces_a_run(run, small, pairs_file: Path, tmp_path: Path):
    out = tmp_path / "run"
    assert run("train", pairs_file, *small, "--out", out, "--seed", 1)[0] == 0
    assert run("train", pairs_file, *small, "--out", out, "--seed", 2, "--overwrite")[0] == 0
    assert recipe(out)["training"]["seed"] == 2
    assert len(steps(out)) == 4


def wait_for_step(run_folder: Path, step: int, process: Any) -> None:
    """Until the metrics of a process tell of so many steps."""
    for _ in range(18_000):
        path = run_folder / "metrics.jsonl"
        if path.exists() and path.read_text().count('"event": "step"') >= step:
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    raise TimeoutError(f"{path} never told of step {step}")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_process_leaves_a_checkpoint_and_resume_finishes(
    sent: signal.Signals, run, start, tiny_folder: Path, pairs_file: Path, tmp_path: Path
):
    out = tmp_path / "run"
    options = ("--base", tiny_folder, "--epochs", 50, "--batch-size", 16, "--out", out)
    process = start("train", pairs_file, *options)
    wait_for_step(out, 3, process)
    process.send_signal(sent)
    said, err = process.communicate(timeout=180)
    assert (process.returncode, said) == (130, "")
    assert "Traceback" not in err
    done = len(steps(out))
    assert 3 <= done < 200
    assert f"interrupted after step {done}" in err
    assert str(out / "checkpoints" / f"step-{done:08d}") in err
    assert "--resume" in err
    assert not (out / "model").exists()
    code, said, _ = run("train", pairs_file, *options, "--resume")
    assert (code, said) == (0, f"model:  {out / 'model'}\n")
    told = [line["step"] for line in steps(out)]
    assert told == list(range(1, 201))
    assert all(a["seconds"] <= b["seconds"] for a, b in pairwise(steps(out)))
    losses = [line["loss"] for line in steps(out)]
    assert all(map(math.isfinite, losses))
    assert np.mean(losses[-40:]) < np.mean(losses[:40])
