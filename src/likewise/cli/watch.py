"""Watch a training run: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from likewise.cli.console import say
from likewise.methods.run import Tell
from likewise.progress import SECONDS_BETWEEN_LINES
from likewise.training.events import Evaluated, Event, StepDone
from likewise.training.fit import PROBE_SECONDS
from likewise.training.plan import Plan


class Watch:
    """Observer of a run; a context manager, so that the bar is taken away at its end."""

    def __init__(self, *, quiet: bool, minutes: float | None = None) -> None:
        """Draw nothing where quiet."""
        self.quiet = quiet
        self.minutes = minutes
        self.total: int | None = None
        self._said = time.monotonic()
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        if not quiet and sys.stderr.isatty():
            columns = (
                TextColumn("training"),
                BarColumn(),
                TextColumn("{task.description}"),
                TimeRemainingColumn(),
            )
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)

    def tell(self) -> Tell:
        """This watch as the one who is told of a run; steps are tried out for the plan it shows."""
        return Tell(
            observers=(self,),
            plan=self.plan,
            note=self.note,
            progress=not self.quiet,
            probe_seconds=0.0 if self.quiet else PROBE_SECONDS,
        )

    def plan(self, plan: Plan) -> None:
        """Say what is going to happen."""
        self.total = plan.steps
        for line in plan.lines():
            say(f"plan: {line}", quiet=self.quiet)
        if self._bar is not None:
            if self._task is not None:  # of the stage before this one
                self._bar.remove_task(self._task)
            self._bar.start()
            self._task = self._bar.add_task("", total=plan.steps or 60 * (self.minutes or 1))

    def note(self, text: str) -> None:
        """Say what was decided."""
        say(f"note: {text}", quiet=self.quiet)

    def __call__(self, event: Event) -> None:
        """Take one event of the loop."""
        if isinstance(event, Evaluated):
            what = "the base model" if event.step == 0 else f"step {event.step:,}"
            interval = f"{event.low:.3f} to {event.high:.3f}"
            say(f"dev, {what}: {event.metric} {event.value:.3f} ({interval})", quiet=self.quiet)
        elif isinstance(event, StepDone):
            self._step(event)

    def _step(self, event: StepDone) -> None:
        of = "" if self.total is None else f" of {self.total:,}"
        text = f"step {event.step:,}{of}, loss {event.loss:.3f}"
        if self._bar is not None and self._task is not None:
            done = event.step if self.total else event.seconds
            self._bar.update(self._task, completed=done, description=text)
            if event.step == self.total:  # what follows may draw a bar of its own
                self._bar.stop()
        elif time.monotonic() - self._said >= SECONDS_BETWEEN_LINES:
            self._said = time.monotonic()
            say(f"training: {text}, {event.seconds:.0f} s", quiet=self.quiet)

    def __enter__(self) -> "Watch":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
