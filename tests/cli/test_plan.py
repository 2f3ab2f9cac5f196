import json
from pathlib import Path

import pytest

from likewise.cli.main import load_command


def test_a_plan_says_steps_speed_time_and_memory_and_writes_nothing(
    run, small, pairs_file: Path, dev_pairs_file: Path, tmp_path: Path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    there = sorted(tmp_path.rglob("*"))
    code, said, _ = run("plan", pairs_file, *small, "--dev", dev_pairs_file)
    assert code == 0
    assert "distinct texts, 4 steps\n" in said
    for words in ("tokens a step", "tokens/s", "to train", "in all, until", "GB are free"):
        assert words in said
    assert sorted(tmp_path.rglob("*")) == there


def test_a_plan_for_machines_is_one_document(run, small, pairs_file: Path):
    code, said, err = run("plan", pairs_file, *small, "--json", "--quiet")
    assert (code, err) == (0, "")
    plan = json.loads(said)
    assert plan["schema"] == "likewise.plan/1"
    assert (plan["rows"], plan["steps"], plan["epochs"]) == (64, 4, 1.0)
    assert plan["tokens_per_second"] > 0
    assert plan["peak_bytes"] > 0
    assert plan["all_seconds"] >= plan["train_seconds"] > 0


def test_minutes_say_what_fits(run, small, pairs_file: Path):
    code, said, _ = run("plan", pairs_file, *small, "--minutes", 0.5)
    assert code == 0
    assert "epochs) in the time given" in said


def test_what_train_says_before_it_begins_is_that_plan(run, small, pairs_file: Path, tmp_path):
    code, _, err = run("train", pairs_file, *small, "--out", tmp_path / "run")
    assert code == 0
    assert "plan: 64 rows, " in err
    assert "tokens/s: " in err
    assert "GB memory at the peak; " in err


def test_a_run_that_says_nothing_tries_nothing_out(run, small, pairs_file: Path, tmp_path: Path):
    words = ("train", pairs_file, *small, "--out", tmp_path / "run", "--quiet")
    code, _, err = run(*words)
    assert (code, err) == (0, "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--method", "softmax"), "the method softmax takes nli or pair-labels data"),
        (("--batch-size", 1), "a batch of one row has no negatives"),
        (("--set", "skale=3"), '"skale"'),
        (("--epochs", 0), "epochs must be over 0"),
    ],
)
def test_a_mistake_is_that_of_train(run, tiny_folder: Path, pairs_file: Path, words, said: str):
    code, out, err = run("plan", pairs_file, "--base", tiny_folder, *words)
    assert (code, out) == (2, "")
    assert said in err
    assert "\nTo mend: " in err


def test_no_data_is_a_mistake(run, tiny_folder: Path):
    code, _, err = run("plan", "--base", tiny_folder)
    assert code == 2
    assert "no data is named" in err


def test_the_options_are_those_of_train():
    names = [{p.name for p in load_command(name).params} for name in ("plan", "train")]
    assert names[0] == names[1]
    assert "minutes" in names[0]


def test_every_stage_of_a_recipe_is_planned(
    run, tiny_folder: Path, texts_file: Path, pairs_file: Path, tmp_path: Path
):
    recipe = tmp_path / "adapt.toml"
    recipe.write_text(
        f'base = "{tiny_folder}"\n[training]\nbatch_size = 16\n'
        f'[[stages]]\nname = "texts"\nmethod = "simcse"\ndata = "{texts_file}"\n'
        f'[[stages]]\nname = "pairs"\nmethod = "mnr"\ndata = "{pairs_file}"\n'
    )
    code, said, _ = run("plan", "--recipe", recipe, "--out", tmp_path / "run")
    assert code == 0
    assert "texts: 64 rows, " in said
    assert "pairs: 64 rows, " in said
    code, said, _ = run("plan", "--recipe", recipe, "--out", tmp_path / "run", "--json")
    assert code == 0
    assert list(json.loads(said)["stages"]) == ["texts", "pairs"]
    assert not (tmp_path / "run").exists()
    code, _, err = run("plan", "--recipe", recipe, "--method", "mnr")
    assert code == 2
    assert "--method is about one stage" in err
