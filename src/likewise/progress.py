"""A progress bar on a terminal, plain lines elsewhere, nothing if quiet."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

SECONDS_BETWEEN_LINES = 10.0

Advance: TypeAlias = Callable[[int], None]


@contextmanager
def progress(what: str, total: int, *, shown: bool = True) -> Iterator[Advance]:
    """Show how far a long piece of work has come, on the standard error.

    Args:
        what: the work, such as "encoding".
        total: its size in items.
        shown: nothing is drawn where False.

    Yields:
        A function to call with the number of items just done.
    """
    if not shown:
        yield lambda _: None
    elif sys.stderr.isatty():
        with _bar(what, total) as advance:
            yield advance
    else:
        yield _plain(what, total)


@contextmanager
def _bar(what: str, total: int) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda n: bar.update(task, advance=n)


def _plain(what: str, total: int) -> Advance:
    state = {"done": 0, "said": time.monotonic()}

    def advance(n: int) -> None:
        state["done"] += n
        now = time.monotonic()
        if now - state["said"] >= SECONDS_BETWEEN_LINES:
            state["said"] = now
            sys.stderr.write(f"{what}: {state['done']:,} of {total:,}\n")

    return advance
