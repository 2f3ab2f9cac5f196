import io
import sys
import time

import pytest
import torch

from likewise.cli import watch as module
from likewise.cli.watch import Watch
from likewise.models.device import choose_hardware
from likewise.training.events import Evaluated, Saved, StepDone
from likewise.training.plan import Plan


def plan(steps: int | None = 200) -> Plan:
    return Plan(
        steps=steps, rows=640, texts=1280, cut={"anchor": 3, "positive": 0}, tokens_a_step=288,
        parts_a_step=1, evaluate_after=frozenset({100, 200}), checkpoint_every=100,
        hardware=choose_hardware(torch.device("cpu")),
    )  # fmt: skip


def step(number: int, seconds: float = 1.0) -> StepDone:
    return StepDone(
        step=number, loss=1.25, rate=1e-4, gradient_norm=1.0, rows=16, texts=32, tokens=288,
        masked=0, seconds=seconds,
    )  # fmt: skip


def dev(at: int) -> Evaluated:
    return Evaluated(step=at, metric="spearman", value=0.5, low=0.45, high=0.55)


class Terminal(io.StringIO):
    """A standard error that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_plan_notes_and_measurements_are_lines(capsys: pytest.CaptureFixture[str]):
    with Watch(quiet=False) as watch:
        watch.plan(plan())
        watch.note("two rows are left out")
        watch(dev(0))
        watch(dev(1000))
        watch(Saved(step=100, path="runs/a"))
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert lines[0] == "plan: 640 rows, 1,280 distinct texts, 200 steps"
    assert "plan: 3 texts of anchor are over the length limit and are cut" in lines
    assert lines[-3:] == [
        "note: two rows are left out",
        "dev, the base model: spearman 0.500 (0.450 to 0.550)",
        "dev, step 1,000: spearman 0.500 (0.450 to 0.550)",
    ]


def test_steps_are_told_now_and_then_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    with Watch(quiet=False) as watch:
        watch.plan(plan())
        capsys.readouterr()
        watch(step(1))
        assert capsys.readouterr().err == ""
        now += module.SECONDS_BETWEEN_LINES
        watch(step(57, seconds=31.4))
        watch(step(58))
    assert capsys.readouterr().err == "training: step 57 of 200, loss 1.250, 31 s\n"


def test_the_clock_has_no_last_step(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LINES", 0.0)
    with Watch(quiet=False, minutes=2) as watch:
        watch.plan(plan(steps=None))
        watch(step(57))
    assert capsys.readouterr().err.endswith("training: step 57, loss 1.250, 1 s\n")


def test_nothing_is_told_where_quiet(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LINES", 0.0)
    with Watch(quiet=True) as watch:
        watch.plan(plan())
        watch.note("two rows are left out")
        watch(dev(0))
        watch(step(1))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("steps", "minutes"), [(200, None), (None, 2.0)])
def test_a_terminal_gets_a_bar_that_goes_away(
    steps: int | None, minutes: float | None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    with Watch(quiet=False, minutes=minutes) as watch:
        watch.plan(plan(steps))
        watch(step(100, seconds=60.0))
        time.sleep(0.25)  # the bar is drawn ten times a second
        watch(dev(100))
    told = sys.stderr.getvalue()
    assert "step 100" in told
    assert "━" in told
    assert told.endswith("\x1b[2K")  # its line is taken away
    assert "dev, step 100" in told


def test_a_bar_goes_away_on_an_error_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    watch = Watch(quiet=False)

    def fail() -> None:
        with watch:
            watch.plan(plan())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    before = sys.stderr.getvalue()
    time.sleep(0.25)
    assert sys.stderr.getvalue() == before
    assert "\x1b[?25h" in before  # the cursor is back
