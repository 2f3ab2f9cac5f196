"""A run in a process of its own: memory is given back, and a fault stays there."""

import multiprocessing
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from likewise.data.reading import read
from likewise.errors import Interrupted, LikewiseError
from likewise.evaluation.evaluators import evaluate
from likewise.evaluation.result import Result
from likewise.methods.dev_data import measurable
from likewise.methods.run import Existing, Tell
from likewise.methods.stages import train_stages
from likewise.models.build import load
from likewise.training.stopping import stop_asked

State = Literal["finished", "failed", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a process is to run.

    Attributes:
        recipe: tables of stages; without any, its base is measured as it is.
        folder: of the run.
        existing: what to do where it holds something.
        allow_leak: measure although dev rows stand in the training data.
        named: what errors call the recipe.
        probe_seconds: how long steps may be tried out for the plan.
        progress: whether long work may draw a bar.
    """

    recipe: Mapping[str, Any]
    folder: Path
    existing: Existing
    allow_leak: bool
    named: str
    probe_seconds: float
    progress: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How it ended.

    Attributes:
        state: "finished", "failed" or "interrupted".
        seconds: that the process took.
        results: measured on the common data: a plain baseline perhaps, the base, every stage.
        problem: why it did not finish.
        step: after which it was interrupted.
    """

    state: State
    seconds: float
    results: tuple[Result, ...] = ()
    problem: str = ""
    step: int = 0


def run_order(order: Order, tell: Tell) -> Outcome:
    """Train and measure in another process, and pass on what it tells.

    Ctrl-C and SIGTERM go on to that process, which saves a checkpoint and says so.

    Args:
        order: what to run.
        tell: who is told of events, plans and notes.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(order, there))
    began = time.monotonic()

    def stop() -> None:
        if process.pid is not None:
            process.terminate()

    with stop_asked(stop) as stopped:
        process.start()
        there.close()
        try:
            outcome = _listen(here, tell)
        finally:  # where who is told fails, the run is of no use either
            here.close()
            process.join()
    if outcome is None:
        state: State = "interrupted" if stopped() else "failed"
        outcome = Outcome(state=state, seconds=0.0, problem=_death(process.exitcode))
    return replace(outcome, seconds=time.monotonic() - began)


def _listen(connection: Connection, tell: Tell) -> Outcome | None:
    """Pass on what is told until the other side closes; None where it never said how it ended."""
    outcome: Outcome | None = None
    while True:
        try:
            kind, value = connection.recv()
        except EOFError:
            return outcome
        if kind == "event":
            for observer in tell.observers:
                observer(value)
        elif kind == "plan":
            tell.plan(value)
        elif kind == "note":
            tell.note(value)
        else:
            outcome = value


def _run(order: Order, connection: Connection) -> None:
    """In the other process: train, and say how it went."""

    def send(kind: str, value: Any) -> None:
        connection.send((kind, value))

    tell = Tell(
        observers=(lambda event: send("event", event),),
        plan=lambda plan: send("plan", plan),
        note=lambda text: send("note", text),
        progress=order.progress,
        probe_seconds=order.probe_seconds,
    )
    try:
        kept = tuple(replace(result, details={}) for result in _results(order, tell))
        outcome = Outcome(state="finished", seconds=0.0, results=kept)
    except Interrupted as error:
        outcome = Outcome(state="interrupted", seconds=0.0, step=error.step)
    except KeyboardInterrupt:
        outcome = Outcome(state="interrupted", seconds=0.0)
    except LikewiseError as error:
        outcome = Outcome(state="failed", seconds=0.0, problem=str(error))
    except Exception as error:  # noqa: BLE001 - the other rows go on, and the table says why
        outcome = Outcome(state="failed", seconds=0.0, problem=f"{type(error).__name__}: {error}")
    send("outcome", outcome)
    connection.close()


def _results(order: Order, tell: Tell) -> Sequence[Result]:
    """What is measured on the common data, after the stages if there are any."""
    if not order.recipe["stages"]:
        dev = measurable(read(order.recipe["dev"]), 0, "encoder")
        base = str(order.recipe["base"])
        return [evaluate(load(base), dev, name=base)]
    run = train_stages(
        order.recipe,
        out=order.folder,
        existing=order.existing,
        allow_leak=order.allow_leak,
        tell=tell,
        named=order.named,
    )
    return () if run.evaluation is None else run.evaluation.results


def _death(code: int | None) -> str:
    """What a process died of that could not say so.

    >>> _death(-9)
    'its process was killed (SIGKILL): memory may have run out'
    """
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = ": memory may have run out" if name == "SIGKILL" else ""
        return f"its process was killed ({name}){hint}"
    return f"its process ended with code {code} before it was done"
