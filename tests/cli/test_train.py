"""`likewise train`, as it is typed."""

import json
import math
import re
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

from conftest import TOPICS, answer, make_folder, question, write_lines
from likewise.evaluation import from_json, read_evaluation, to_json
from likewise.models import load
from likewise.models.cross_encoder import from_encoder, load_cross_encoder


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
        shape = {"model", "task", "n", "texts_per_second", "metrics"}
        priced = {"tokens_per_second", "dimensions", "model_bytes", "geometry"}
        assert shape <= set(result) <= shape | priced
        assert isinstance(result["n"], int)
        for score in result["metrics"].values():
            assert set(score) == {"value", "low", "high"}
            assert score["low"] <= score["value"] <= score["high"]
    for one in value["differences"]:
        shape = {"task", "metric", "model", "against", "value", "low", "high", "p_value"}
        assert shape <= set(one) <= shape | {"p_permutation", "p_holm", "detectable"}
        assert one["detectable"] >= 0
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
    code, _, err = run(*words, "--minutes", 0.02, "--keep", "last")
    assert code == 0
    assert re.search(r"about [\d,]+ steps \(\S+ epochs\) in the time given", err)
    done = steps(out)
    assert all(line["seconds"] < 1.2 for line in done[:-1])
    rates = [line["rate"] for line in done]
    assert rates.index(max(rates)) < len(rates) - 1  # the schedule is fitted to the clock
    assert rates[-1] < max(rates)
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


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def other_nli_file(tmp_path: Path) -> Path:
    """30 NLI rows about other things than `nli_file`, in the same words."""
    forms = ("someone does {}", "people {} every day", "nobody can {}")
    labels = ("entailment", "neutral", "contradiction")
    rows = (
        {"premise": f"how do people {i}", "hypothesis": form.format(i), "label": label}
        for i in range(10)
        for form, label in zip(forms, labels, strict=True)
    )
    return write_lines(tmp_path / "other-nli.jsonl", rows)


@pytest.fixture
def triplets_file(tmp_path: Path) -> Path:
    rows = (
        {
            "anchor": question(*topic),
            "positive": answer(*topic),
            "negative": answer(*TOPICS[(i + 9) % 64]),
        }
        for i, topic in enumerate(TOPICS)
    )
    return write_lines(tmp_path / "triplets.jsonl", rows)


def test_triplets_are_trained_by_the_loss_of_that_name(
    run, small, triplets_file: Path, dev_pairs_file: Path, tmp_path: Path, tiny_folder: Path
):
    out = tmp_path / "run"
    words = ("train", triplets_file, "--method", "triplet", "--dev", dev_pairs_file, "--out", out)
    code, said, err = run(*words, *small, "--set", "distance=cosine", "--set", "margin=0.2")
    assert code == 0
    assert recipe(out)["method"] == "triplet"
    assert recipe(out)["options"] == {"margin": 0.2, "distance": "cosine", "soft_margin": False}
    assert "plan: 64 rows, 128 distinct texts, 4 steps" in err
    assert f"model:  {out / 'model'}\n" in said
    before, after = (load(folder).encode(["a guide"]) for folder in (tiny_folder, out / "model"))
    assert not np.array_equal(before, after)


def test_a_cross_encoder_is_trained_measured_and_told_how_to_use(
    run, small, scored_file: Path, tmp_path: Path
):
    rows = rows_of(scored_file)
    dev = write_lines(tmp_path / "dev.jsonl", rows[40:])
    train = write_lines(tmp_path / "train.jsonl", rows[:40])
    out = tmp_path / "run"
    words = ("train", train, "--method", "cross-encoder", "--dev", dev, *small, "--out", out)
    code, said, err = run(*words, "--allow-leak", "--json")
    assert code == 0
    value = json.loads(said)
    assert_is_an_evaluation_of_pairs(value)
    names = [result["model"] for result in value["results"]]
    assert names[-2:] == [str(small[1]), "trained"]  # its base is the cosine of the encoder
    assert "the cross-encoder is trained by binary-cross-entropy" in err
    assert load_cross_encoder(out / "model").predict([("apple", "river")]).shape == (1,)
    code, _, err = run(*words, "--allow-leak", "--overwrite")
    assert code == 0
    assert "pairs.csv --out scores.npy" in err


def assert_is_an_evaluation_of_pairs(value: Any) -> None:
    assert value["schema"] == "likewise.evaluation/1"
    for result in value["results"]:
        assert set(result) >= {"model", "task", "n", "metrics"}
        for score in result["metrics"].values():
            assert score["low"] <= score["value"] <= score["high"]
    assert value["verdict"] in {"better", "no better", "worse"}


def test_a_cross_encoder_for_nli_is_measured_as_nli(
    run, small, nli_file: Path, other_nli_file: Path, tmp_path: Path
):
    out = tmp_path / "run"
    words = ("train", nli_file, "--method", "cross-encoder", "--dev", other_nli_file)
    code, said, err = run(*words, *small, "--out", out, "--json")
    assert code == 0, err
    value = json.loads(said)
    assert_is_an_evaluation_of_pairs(value)
    assert all("accuracy" in result["metrics"] for result in value["results"])
    # a fresh head knows no label: what has to be beaten is the most frequent one
    assert [result["model"] for result in value["results"]] == ["majority", "trained"]
    assert value["results"][0]["metrics"]["accuracy"]["value"] == pytest.approx(1 / 3)
    model = load_cross_encoder(out / "model")
    assert model.labels == ("entailment", "neutral", "contradiction")


def test_a_cross_encoder_is_trained_on_from_its_folder(
    run, small, scored_file: Path, tmp_path: Path
):
    first, second = tmp_path / "first", tmp_path / "second"
    words = ("train", scored_file, "--method", "cross-encoder", *small[2:])
    assert run(*words, "--base", small[1], "--out", first)[0] == 0
    code, _, err = run(*words, "--base", first / "model", "--out", second)
    assert code == 0, err
    assert not np.array_equal(
        *(load_cross_encoder(f / "model").predict([("apple", "river")]) for f in (first, second))
    )


def test_few_labels_are_augmented(run, small, scored_file: Path, tmp_path: Path):
    out = tmp_path / "run"
    words = ("train", scored_file, "--method", "augmented", *small, "--out", out)
    code, _, err = run(*words, "--set", "gold_fraction=0.5", "--set", "top_k=2")
    assert code == 0
    assert recipe(out)["options"]["gold_fraction"] == 0.5
    assert "gold: the labels of 30 of 60 pairs" in err
    assert re.search(r"silver scores \(semantic\): 0 to 0.2: \d+, 0.2 to 0.4: \d+", err)
    assert re.search(r"pairs to train on: \d+ gold and \d+ silver", err)
    stage = out / "checkpoints" / "cross-encoder"
    assert (stage / "model" / "model.safetensors").is_file()
    assert len(np.load(out / "checkpoints" / "silver.npy")) > 0
    load(out / "model").encode(["a guide"])


def test_an_augmented_run_that_broke_off_goes_on_without_its_first_stages(
    run, small, scored_file: Path, tmp_path: Path
):
    out, whole = tmp_path / "run", tmp_path / "whole"
    words = ("train", scored_file, "--method", "augmented", *small, "--checkpoint-every", 2)
    assert run(*words, "--out", whole)[0] == 0
    assert run(*words, "--out", out)[0] == 0
    stage = (out / "checkpoints" / "cross-encoder" / "metrics.jsonl").stat().st_mtime_ns
    newest = sorted((out / "checkpoints").glob("step-*"))[-1]
    newest.rename(tmp_path / "away")
    code, _, err = run(*words, "--out", out, "--resume")
    assert code == 0
    assert "cross-encoder: finished before" in err
    after = (out / "checkpoints" / "cross-encoder" / "metrics.jsonl").stat().st_mtime_ns
    assert after == stage
    assert_same_weights(out, whole)


def test_shorter_vectors_are_trained_where_asked(
    run, small, pairs_file: Path, dev_pairs_file: Path, tmp_path: Path
):
    plain, out = tmp_path / "plain", tmp_path / "run"
    words = ("train", pairs_file, "--dev", dev_pairs_file, *small)
    assert run(*words, "--out", plain)[0] == 0
    assert run(*words, "--out", out, "--matryoshka", "16,8")[0] == 0
    assert recipe(out)["training"]["matryoshka"] == [16, 8]
    losses = [steps(folder)[0]["loss"] for folder in (plain, out)]
    assert losses[1] > 2 * losses[0]  # the loss of the whole vector and of two shorter ones
    again = tmp_path / "again"
    assert run("train", "--recipe", out / "recipe.toml", "--out", again)[0] == 0
    assert_same_weights(out, again)


@pytest.fixture
def bad(
    pairs_file: Path,
    scored_file: Path,
    nli_file: Path,
    texts_file: Path,
    tiny_folder: Path,
    tmp_path: Path,
) -> dict[str, list[Any]]:
    """The words of each mistake behind `likewise train`."""
    entailed = [row for row in rows_of(nli_file) if row["label"] == "entailment"]
    one_class = write_lines(tmp_path / "one-class.jsonl", entailed)
    equal = [{"anchor": "apple", "positive": "river", "negative": "River."}]
    equal = write_lines(tmp_path / "equal.jsonl", rows_of(pairs_file)[:9] + equal)
    graded = [
        {"sentence1": row["sentence1"], "sentence2": row["sentence2"], "label": row["score"] / 5}
        for row in rows_of(scored_file)
    ]
    graded = write_lines(tmp_path / "graded.jsonl", graded)
    three = from_encoder(load(tiny_folder), classes=3).save(tmp_path / "three")
    one = from_encoder(load(tiny_folder), classes=1).save(tmp_path / "one")
    gold = [scored_file, "--method", "augmented"]
    inside = ["--set", "sampling=given", "--set", f"pool={scored_file}"]
    cross = ["--method", "cross-encoder"]
    return {
        "a method that does not fit": [scored_file, "--method", "softmax"],
        "a binary loss on graded scores": [scored_file, "--method", "contrastive"],
        "an online binary loss on graded scores": [scored_file, "--method", "online-contrastive"],
        "graded labels": [graded, "--method", "contrastive"],
        "a pool inside the gold": [*gold, *inside],
        "no label left to give": [*gold, "--set", "sampling=given"],
        "no share of gold": [*gold, "--set", "gold_fraction=0"],
        "no teacher": [texts_file, "--method", "augmented"],
        "a teacher of three labels": [*gold, "--set", f"teacher={three}"],
        "nothing to distil from": [pairs_file, "--method", "distillation"],
        "a cross-encoder for vectors": [texts_file, "--method", "mse", "--set", f"guide={one}"],
        "an unknown loss": [pairs_file, "--method", "tripet"],
        "an unknown loss of a cross-encoder": [pairs_file, *cross, "--set", "loss=lamda"],
        "a loss for other data": [pairs_file, *cross, "--set", "loss=mse"],
        "an unknown option": [pairs_file, "--method", "triplet", "--set", "margn=1"],
        "an option of the wrong type": [pairs_file, "--method", "triplet", "--set", "margin=far"],
        "one class, softmax": [one_class, "--method", "softmax"],
        "one class, cosine": [one_class, "--method", "cosine"],
        "one class, cross-encoder": [one_class, *cross],
        "one class, augmented": [one_class, "--method", "augmented"],
        "fewer labels than the data": [nli_file, *cross, "--base", one],
        "more labels than the data": [scored_file, *cross, "--base", three],
        "a cross-encoder as encoder": [pairs_file, "--base", one],
        "a positive that is the negative": [equal, "--method", "triplet"],
        "the same, ranked": [equal, *cross],
        "the same, distilled": [equal, "--method", "distillation", "--set", f"teacher={one}"],
        "no negatives": [pairs_file, "--method", "triplet"],
        "longer vectors than there are": [pairs_file, "--matryoshka", "64"],
        "longer vectors after a stage": [*gold, "--matryoshka", "64"],
        "longer vectors after scoring": [
            pairs_file, "--method", "distillation", "--set", f"teacher={one}", "--matryoshka", "64",
        ],
        "shorter vectors of no vectors": [pairs_file, *cross, "--matryoshka", "8"],
        "layers of no vectors": [pairs_file, *cross, "--adaptive-layers", "1"],
        "orthogonality of no vectors": [pairs_file, *cross, "--orthogonality", "0.1"],
    }  # fmt: skip


MISTAKES = {
    "a method that does not fit": ("the method softmax takes nli or pair-labels data", "cosine"),
    "a binary loss on graded scores": (
        "takes pair-labels or reranking data, found scored",
        "cosine",
    ),
    "an online binary loss on graded scores": (
        "takes pair-labels or reranking data, found scored",
        "cosine",
    ),
    "graded labels": ("expected 0 (different) or 1 (same), found", "label"),
    "a pool inside the gold": ("the pool holds no pair that is not gold", "pool=FILE"),
    "no label left to give": ("the pool holds no pair that is not gold", "gold_fraction"),
    "no share of gold": ("gold_fraction must be over 0", "gold_fraction"),
    "no teacher": ("texts data has no labels for a cross-encoder", "--set teacher=MODEL"),
    "a teacher of three labels": ("answers 3 labels; a score is needed", "one number"),
    "nothing to distil from": ("has no teacher scores", "--set teacher=MODEL"),
    "a cross-encoder for vectors": ("needs a model that gives vectors", "bi-encoder"),
    "an unknown loss": ('there is no method "tripet"', "triplet"),
    "an unknown loss of a cross-encoder": ("loss: input should be", "loss"),
    "a loss for other data": ("the loss mse takes scored data, found pairs", "mnr, lambda"),
    "an unknown option": ('an option "margn"', "margin"),
    "an option of the wrong type": ("margin: input should be a valid number", "margin"),
    "one class, softmax": ("all 32 rows have the label entailment", "other labels"),
    "one class, cosine": ("all 32 scores are 1: nothing to learn", "different"),
    "one class, cross-encoder": ("all 32 rows have the label entailment", "other labels"),
    "one class, augmented": ("all 32 rows have the label entailment", "other labels"),
    "fewer labels than the data": ("answers 1 numbers, the data needs 3", "--base"),
    "more labels than the data": ("answers 3 numbers, the data needs 1", "--base"),
    "a cross-encoder as encoder": ("is a cross-encoder: it scores pairs", "--method cross-encoder"),
    "a positive that is the negative": ("row 10", "something else"),
    "the same, ranked": ("a negative is the row's own positive", "something else"),
    "the same, distilled": ("a negative is the row's own positive", "something else"),
    "no negatives": ("needs a negative in each row", "--method mnr"),
    "longer vectors than there are": ("has 32 dimensions, found 64", "--matryoshka"),
    "longer vectors after a stage": ("has 32 dimensions, found 64", "--matryoshka"),
    "longer vectors after scoring": ("has 32 dimensions, found 64", "--matryoshka"),
    "shorter vectors of no vectors": (
        "is about vectors, and a cross-encoder has none",
        "--matryoshka",
    ),
    "layers of no vectors": ("is about vectors, and a cross-encoder has none", "--adaptive-layers"),
    "orthogonality of no vectors": (
        "is about vectors, and a cross-encoder has none",
        "--orthogonality",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_said_before_the_first_step_and_nothing_is_written(
    mistake: str, run, small, bad, tmp_path: Path
):
    out = tmp_path / "deep" / "run"
    words = bad[mistake]
    base = () if "--base" in words else small[:2]
    code, said, err = run("train", *words, *base, *small[2:], "--out", out)
    problem, mend = MISTAKES[mistake]
    assert (code, said) == (2, ""), err
    assert problem in err
    assert mend in err[err.index("\nTo mend: ") :]
    assert "Traceback" not in err
    assert not out.exists()


@pytest.fixture
def staged(
    tiny_folder: Path, texts_file: Path, pairs_file: Path, dev_pairs_file: Path, tmp_path: Path
) -> Path:
    """A recipe of two stages: plain texts by simcse, then pairs by mnr."""
    path = tmp_path / "adapt.toml"
    path.write_text(
        f'base = "{tiny_folder}"\ndev = "{dev_pairs_file}"\n'
        "[training]\nepochs = 1\nbatch_size = 16\n"
        f'[[stages]]\nname = "texts"\nmethod = "simcse"\ndata = "{texts_file}"\n'
        f'[[stages]]\nname = "pairs"\nmethod = "mnr"\ndata = "{pairs_file}"\n'
        "[stages.options]\nscale = 30\n"
    )
    return path


def test_a_recipe_of_stages_is_one_run_with_every_stage_in_its_table(
    run, staged: Path, tiny_folder: Path, tmp_path: Path
):
    out = tmp_path / "run"
    code, said, err = run("train", "--recipe", staged, "--out", out, "--seed", 5)
    assert code == 0
    for name in ("BM25", str(tiny_folder), "texts", "pairs"):
        assert name in said
    assert said.count("against") == 4
    assert f"model:  {out / 'model'}\n" in said
    assert f"report: {out / 'report.html'}\n" in said
    assert "note: stage 1 of 2: texts (simcse), from " in err
    assert "note: stage 2 of 2: pairs (mnr), from stage:texts" in err
    assert [recipe(out / name)["training"]["seed"] for name in ("1-texts", "2-pairs")] == [5, 5]
    assert run("report", out)[0] == 0
    code, said, _ = run(
        "train", "--recipe", staged, "--out", out, "--seed", 5, "--resume", "--json"
    )
    assert code == 0
    assert_is_an_evaluation(json.loads(said))


def test_a_mistake_in_a_recipe_of_stages_names_its_file(run, staged: Path, tmp_path: Path):
    text = staged.read_text().replace("[[stages]]", '[[stages]]\nbase = "stage:nowhere"', 1)
    staged.write_text(text)
    code, said, err = run("train", "--recipe", staged, "--out", tmp_path / "run")
    assert (code, said) == (2, "")
    assert f"Error: {staged}: " in err
    assert '"nowhere"' in err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("stage", ["1-texts", "2-pairs"])
def test_stages_stop_by_ctrl_c_and_go_on_where_they_were(
    stage: str, run, start, staged: Path, tmp_path: Path
):
    out = tmp_path / "run"
    number = ["1-texts", "2-pairs"].index(stage)
    parts = staged.read_text().split("[[stages]]\n")
    parts[number + 1] += "[stages.training]\nepochs = 20\ncheckpoint_every = 3\n"
    staged.write_text("[[stages]]\n".join(parts))
    process = start("train", "--recipe", staged, "--out", out)
    wait_for_step(out / stage, 3, process)
    process.send_signal(signal.SIGINT)
    said, err = process.communicate(timeout=180)
    assert (process.returncode, said) == (130, "")
    assert "Traceback" not in err
    assert f"checkpoint saved in {out / stage / 'checkpoints'}" in err
    assert not (out / "model").exists()
    code, _, err = run("train", "--recipe", staged, "--out", out, "--resume")
    assert code == 0
    assert ("stage texts: finished before" in err) == (number == 1)
    assert [line["step"] for line in steps(out / stage)] == list(range(1, 81))
    assert (out / "model" / "model.safetensors").is_file()


@pytest.mark.parametrize(
    ("flags", "change", "said"),
    [
        (("--method", "mnr"), None, "--method is about one stage"),
        (("--set", "scale=3"), None, "--set is about one stage"),
        (("texts.txt",), None, "DATA is about one stage"),
        (("--skip-bad",), None, "--skip-bad is about one stage"),
        ((), ('name = "pairs"', 'name = "texts"'), 'two stages have the name "texts"'),
        (
            (),
            ('method = "mnr"', 'method = "mnr"\nbase = "mlm"'),
            'the stage "mlm", and there is no',
        ),
        ((), ('method = "simcse"', 'method = "simcse"\nbase = "pairs"'), "which comes later"),
        ((), ("scale", "scal"), 'stage "pairs": neither training nor the method mnr'),
        ((), ("/pairs.jsonl", "/none.jsonl"), 'stage "pairs": there is no such file'),
        ((), ("epochs = 1", "epoch = 1"), '[training] has no key "epoch"'),
        ((), ("[[stages]]", "[[stages]]\nbatch = 3"), 'stage "texts" has no key "batch"'),
    ],
)
def test_a_recipe_of_stages_that_cannot_be_is_refused_before_any_work(
    flags, change, said: str, run, staged: Path, tmp_path: Path
):
    if change is not None:
        staged.write_text(staged.read_text().replace(*change, 1))
    out = tmp_path / "run"
    code, told, err = run("train", *flags, "--recipe", staged, "--out", out)
    assert (code, told) == (2, ""), err
    assert said in err
    assert "\nTo mend: " in err
    assert "Traceback" not in err
    assert not out.exists()


def test_a_changed_recipe_of_stages_does_not_go_on(run, staged: Path, tmp_path: Path):
    out = tmp_path / "run"
    assert run("train", "--recipe", staged, "--out", out, "--quiet")[0] == 0
    staged.write_text(staged.read_text().replace("scale = 30", "scale = 31"))
    code, _, err = run("train", "--recipe", staged, "--out", out, "--resume")
    assert code == 2
    assert "the run was begun with stages.pairs.options.scale = 30.0, now 31.0" in err


def test_plain_texts_take_the_first_method_that_needs_nothing_more(
    run, small, texts_file: Path, tmp_path: Path
):
    out = tmp_path / "run"
    code, _, err = run("train", texts_file, *small, "--out", out)
    assert code == 0
    assert recipe(out)["method"] == "tsdae"
    assert "note: the method is tsdae: 64 texts as long as sentences (median 8 words): few" in err
