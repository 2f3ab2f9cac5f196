"""Comparisons: every row runs, what is finished is taken, what fails is told."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from likewise.comparison import run as module
from likewise.comparison.rows import read_rows
from likewise.comparison.run import compare_rows
from likewise.comparison.table import read_comparison
from likewise.comparison.worker import Order, Outcome
from likewise.errors import InputError, Interrupted
from likewise.evaluation.schema import read_evaluation
from likewise.methods.run import Tell
from likewise.methods.stages import train_stages

Work = Callable[[Order, Tell], Outcome]


def here(order: Order, tell: Tell) -> Outcome:
    """As the other process does it, in this one."""
    run = train_stages(
        order.recipe, out=order.folder, existing=order.existing, tell=tell, named=order.named
    )
    return Outcome(state="finished", seconds=2.0, results=run.evaluation.results)


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what runs, in this process."""
    names: list[str] = []

    def work(order: Order, tell: Tell) -> Outcome:
        names.append(f"{order.folder.parent.name}/{order.folder.name} {order.existing}")
        return here(order, tell)

    monkeypatch.setattr(module, "run_order", work)
    return names


def failing(monkeypatch: pytest.MonkeyPatch, name: str, outcome: Outcome) -> None:
    def work(order: Order, tell: Tell) -> Outcome:
        return outcome if order.folder.parent.name == name else here(order, tell)

    monkeypatch.setattr(module, "run_order", work)


def test_rows_stand_beside_their_base_and_each_other(recipes: list[Path], tmp_path: Path):
    """In processes of their own."""
    found = compare_rows(read_rows(recipes), out=tmp_path / "out")
    base = read_rows(recipes)[0].recipe.base
    assert [line.name for line in found.lines] == ["mnr", "simcse"]
    assert [result.model for result in found.evaluation.results] == ["BM25", base, "mnr", "simcse"]
    for name in ("mnr", "simcse"):
        own = read_evaluation(tmp_path / "out" / name / "seed-0" / "evaluation.json")
        assert found.result(name).scores == own.results[-1].scores
    assert found.against_base["mnr"].against == base
    assert found.against_above.keys() == found.against_first.keys() == {"simcse"}
    assert found.against_above["simcse"].against == "mnr"
    assert [line.labels for line in found.lines] == [64, 0]
    assert all(line.seconds > 1 and line.seeds == 1 for line in found.lines)
    kept = read_comparison(tmp_path / "out" / "comparison.json")
    assert kept.lines == found.lines
    assert kept.against_base == found.against_base


def test_what_is_finished_is_not_run_again(ran: list[str], recipes: list[Path], tmp_path: Path):
    first = compare_rows(read_rows(recipes), out=tmp_path / "out")
    assert ran == ["mnr/seed-0 refuse", "simcse/seed-0 refuse"]
    notes: list[str] = []
    again = compare_rows(read_rows(recipes), out=tmp_path / "out", tell=Tell(note=notes.append))
    assert len(ran) == 2
    assert again.lines == first.lines
    assert again.against_above == first.against_above
    assert [note for note in notes if "finished before" in note]


def test_another_row_and_another_seed_run_alone(ran, recipes: list[Path], tmp_path: Path):
    compare_rows(read_rows(recipes[:1]), out=tmp_path / "out")
    found = compare_rows(read_rows(recipes), out=tmp_path / "out", seeds=2)
    assert ran[1:] == ["mnr/seed-1 refuse", "simcse/seed-0 refuse", "simcse/seed-1 refuse"]
    assert [line.seeds for line in found.lines] == [2, 2]


def test_the_score_of_several_seeds_is_their_mean(ran, recipes: list[Path], tmp_path: Path):
    found = compare_rows(read_rows(recipes[:1]), out=tmp_path / "out", seeds=3)
    own = [
        read_evaluation(tmp_path / "out" / "mnr" / f"seed-{seed}" / "evaluation.json").results[-1]
        for seed in range(3)
    ]
    mean = sum(result.scores["ndcg@10"].value for result in own) / 3
    assert found.result("mnr").scores["ndcg@10"].value == pytest.approx(mean)


def test_a_changed_recipe_is_refused_and_nothing_is_lost(
    ran: list[str], recipes: list[Path], tmp_path: Path
):
    compare_rows(read_rows(recipes), out=tmp_path / "out")
    before = (tmp_path / "out" / "comparison.json").read_text()
    recipes[1].write_text(recipes[1].read_text().replace("epochs = 1", "epochs = 2"))
    with pytest.raises(InputError, match='the row "simcse" was begun with another recipe'):
        compare_rows(read_rows(recipes), out=tmp_path / "out")
    assert (tmp_path / "out" / "comparison.json").read_text() == before
    found = compare_rows(read_rows(recipes), out=tmp_path / "out", overwrite=True)
    assert ran[2:] == ["simcse/seed-0 overwrite"]
    assert not any(line.problem for line in found.lines)


def test_a_row_that_fails_does_not_stop_the_others(
    recipes: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    failing(monkeypatch, "mnr", Outcome(state="failed", seconds=1.0, problem="out of luck"))
    found = compare_rows(read_rows(recipes), out=tmp_path / "out")
    assert [line.problem for line in found.lines] == ["out of luck", ""]
    assert found.result("mnr") is None
    assert found.result("simcse") is not None
    assert found.verdict_of("simcse") is not None  # against its base: no other row has a score
    monkeypatch.setattr(module, "run_order", here)
    assert not any(
        line.problem for line in compare_rows(read_rows(recipes), out=tmp_path / "out").lines
    )


def test_an_interrupted_comparison_goes_on_with_the_same_call(
    recipes: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    failing(monkeypatch, "simcse", Outcome(state="interrupted", seconds=5.0))
    with pytest.raises(Interrupted) as caught:
        compare_rows(read_rows(recipes), out=tmp_path / "out")
    assert "--resume" not in str(caught.value)
    assert "the same command" in str(caught.value)
    kept = read_comparison(tmp_path / "out" / "comparison.json")
    assert [line.problem for line in kept.lines] == ["", "has not run yet"]
    monkeypatch.setattr(module, "run_order", here)
    found = compare_rows(read_rows(recipes), out=tmp_path / "out")
    assert found.lines[1].seconds == 7.0  # those before the interruption count


def test_a_damaged_result_is_measured_again(ran, recipes: list[Path], tmp_path: Path):
    first = compare_rows(read_rows(recipes[:1]), out=tmp_path / "out")
    (tmp_path / "out" / "mnr" / "seed-0-0.npz").write_bytes(b"not a zip")
    again = compare_rows(read_rows(recipes[:1]), out=tmp_path / "out")
    assert ran[1:] == ["mnr/seed-0 resume"]
    assert again.result("mnr").scores == first.result("mnr").scores


def test_a_folder_that_holds_something_else_is_refused(recipes: list[Path], tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("all of it")
    with pytest.raises(InputError, match="is no comparison"):
        compare_rows(read_rows(recipes), out=tmp_path / "out", overwrite=True)
    assert (tmp_path / "out" / "thesis.tex").read_text() == "all of it"


def test_a_last_stage_without_a_score_says_so(
    recipes: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def work(order: Order, tell: Tell) -> Outcome:
        outcome = here(order, tell)
        return replace(outcome, results=outcome.results[:-1])

    monkeypatch.setattr(module, "run_order", work)
    found = compare_rows(read_rows(recipes[:1]), out=tmp_path / "out")
    assert "no score" in found.lines[0].problem
    state = json.loads((tmp_path / "out" / "mnr" / "seed-0.json").read_text())
    assert state["state"] == "finished"
