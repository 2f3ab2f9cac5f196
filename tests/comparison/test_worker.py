"""Runs in a process of their own."""

import os
import threading
from pathlib import Path

import pytest

from likewise.comparison import worker
from likewise.comparison.rows import plan_jobs, read_rows
from likewise.comparison.worker import Order, run_order
from likewise.methods.run import Tell
from likewise.training.events import Saved, StepDone


@pytest.fixture
def order(recipes: list[Path], tmp_path: Path) -> Order:
    (job,) = plan_jobs(read_rows(recipes[:1]), tmp_path / "out")
    return Order(
        recipe=job.recipe.to_tables(),
        folder=job.folder,
        existing="refuse",
        allow_leak=False,
        named=job.row.where,
        probe_seconds=0.0,
        progress=False,
    )


def test_it_trains_measures_and_passes_on_what_it_tells(order: Order):
    events, plans, notes = [], [], []
    tell = Tell(observers=(events.append,), plan=plans.append, note=notes.append)
    outcome = run_order(order, tell)
    assert (outcome.state, outcome.problem) == ("finished", "")
    assert [result.model for result in outcome.results][-1] == "mnr"
    assert all(len(result.draws["ndcg@10"]) for result in outcome.results)
    assert [event.step for event in events if isinstance(event, StepDone)] == [1, 2, 3, 4]
    assert any(isinstance(event, Saved) for event in events)
    assert [plan.steps for plan in plans] == [4]
    assert any("mnr" in note for note in notes)
    assert outcome.seconds > 0
    assert (order.folder / "model" / "config.json").is_file()


def test_a_mistake_is_its_outcome(order: Order, tmp_path: Path):
    (tmp_path / "pairs.jsonl").unlink()
    outcome = run_order(order, Tell())
    assert outcome.state == "failed"
    assert "pairs.jsonl" in outcome.problem
    assert "Traceback" not in outcome.problem


def test_a_killed_process_says_what_killed_it(order: Order):
    def kill(event: object) -> None:
        children = Path(f"/proc/{os.getpid()}/task/{threading.get_native_id()}/children")
        for child in children.read_text().split():
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(int(child), 9)

    outcome = run_order(order, Tell(observers=(kill,)))
    assert outcome.state == "failed"
    assert "SIGKILL" in outcome.problem
    assert "memory" in outcome.problem


def test_a_fault_is_an_outcome_too(order: Order, monkeypatch: pytest.MonkeyPatch):
    sent = []

    class Line:
        def send(self, value: object) -> None:
            sent.append(value)

        def close(self) -> None:
            pass

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(worker, "train_stages", broken)
    worker._run(order, Line())
    ((kind, outcome),) = sent
    assert (kind, outcome.state) == ("outcome", "failed")
    assert outcome.problem == "ZeroDivisionError: by nothing"
