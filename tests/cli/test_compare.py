"""`likewise compare` as a user calls it."""

import json
import signal
import time
from pathlib import Path

import pytest

from comparison.recipe_files import write_recipes
from likewise.cli.compare import parse_budget
from likewise.comparison import run as module
from likewise.comparison.worker import Outcome
from likewise.errors import InputError
from likewise.methods.stages import train_stages


@pytest.fixture
def recipes(tiny_folder: Path, pairs_file: Path, texts_file: Path, tmp_path: Path) -> list[Path]:
    return write_recipes(tmp_path, tiny_folder, pairs_file, texts_file)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs in this process."""

    def work(order, tell):
        run = train_stages(
            order.recipe, out=order.folder, existing=order.existing, tell=tell, named=order.named
        )
        return Outcome(state="finished", seconds=3.0, results=run.evaluation.results)

    monkeypatch.setattr(module, "run_order", work)


@pytest.mark.usefixtures("quick")
def test_one_table_with_what_each_row_is_worth(run, recipes: list[Path], tmp_path: Path):
    code, said, err = run("compare", *recipes, "--out", tmp_path / "out")
    assert code == 0
    for part in (
        "BM25",
        "mnr",
        "simcse",
        "ndcg@10",
        "from its base",
        "from the first row",
        "3.0 s",
    ):
        assert part in said
    assert "run 1 of 2: mnr, seed 0" in err
    assert (tmp_path / "out" / "comparison.html").is_file()
    code, again, err = run("compare", *recipes, "--out", tmp_path / "out")
    assert (code, again) == (0, said)
    assert "mnr, seed 0: finished before" in err


@pytest.mark.usefixtures("quick")
def test_json_is_the_only_thing_on_stdout(run, recipes: list[Path], tmp_path: Path):
    code, said, err = run("compare", *recipes, "--out", tmp_path / "out", "--json", "--quiet")
    found = json.loads(said)
    assert (code, err) == (0, "")
    assert found == json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert [row["name"] for row in found["rows"]] == ["mnr", "simcse"]


@pytest.mark.usefixtures("quick")
def test_a_budget_is_shared(run, recipes: list[Path], tmp_path: Path):
    code, *_ = run("compare", *recipes, "--out", tmp_path / "out", "--budget", "4s", "--quiet")
    assert code == 0
    recipe = (tmp_path / "out" / "mnr" / "seed-0" / "recipe.toml").read_text()
    assert "minutes = 0.03333" in recipe


def test_a_failed_row_is_told_and_the_others_stand(
    run, recipes: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    outcome = Outcome(state="failed", seconds=1.0, problem="out of luck")
    monkeypatch.setattr(module, "run_order", lambda order, tell: outcome)
    code, said, _ = run("compare", *recipes, "--out", tmp_path / "out")
    assert code == 1
    assert "mnr: out of luck" in said


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--budget", "soon"), '--budget: expected a time, found "soon"'),
        (("--budget", "0m"), "--budget: expected a time"),
        (("--dev", "nowhere.csv"), "nowhere.csv"),
        (("--base", "no/such/model/here"), "no/such/model/here"),
        (("--seeds", "0"), "--seeds"),
        (("--nli", "nli.csv"), '--nli goes with "chapter" alone'),
        (("--quick",), '--quick goes with "chapter" alone'),
    ],
)
def test_a_mistake_is_one_clear_error_and_nothing_is_written(
    words, problem: str, run, recipes: list[Path], tmp_path: Path
):
    code, said, err = run("compare", *recipes, "--out", tmp_path / "out", *words)
    assert (code, said) == (2, "")
    assert problem in err
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--sts", "sts.csv"), "the chapter needs --nli FILE"),
        (("--nli", "nli.csv"), "the chapter needs --sts FILE"),
        (("--nli", "a.csv", "--sts", "b.csv", "--dev", "c.csv"), "--dev is for recipes"),
        (("--nli", "a.csv", "--sts", "nowhere.csv"), "nowhere.csv"),
    ],
)
def test_the_chapter_needs_its_data(words, problem: str, run, tmp_path: Path):
    code, said, err = run("compare", "chapter", *words, "--out", tmp_path / "out")
    assert (code, said) == (2, "")
    assert problem in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "minutes"), [("90s", 1.5), ("30m", 30.0), ("1.5h", 90.0), (" 7 ", 7.0)]
)
def test_a_budget_is_a_number_with_a_unit(text: str, minutes: float):
    assert parse_budget(text) == minutes


@pytest.mark.parametrize("text", ["", "m", "-3m", "3d", "1e3s"])
def test_what_is_no_time_is_refused(text: str):
    with pytest.raises(InputError, match="expected a time"):
        parse_budget(text)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_stopped_it_goes_on_with_the_same_command(
    stop: signal.Signals, start, recipes: list[Path], tmp_path: Path
):
    """The signal comes to the first process alone, which hands it on."""
    text = recipes[0].read_text().replace("epochs = 1", "epochs = 400")
    recipes[0].write_text(text.replace("checkpoint_every = 2", "checkpoint_every = 100"))
    words = ("compare", recipes[0], "--out", tmp_path / "out")
    process = start(*words)
    metrics = tmp_path / "out" / "mnr" / "seed-0" / "1-mnr" / "metrics.jsonl"
    until = time.monotonic() + 120
    while not (metrics.exists() and '"event": "step"' in metrics.read_text()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(stop)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "To go on: the same command" in err
    state = json.loads((tmp_path / "out" / "mnr" / "seed-0.json").read_text())
    assert state["state"] == "interrupted"
    assert list((metrics.parent / "checkpoints").glob("step-*"))
