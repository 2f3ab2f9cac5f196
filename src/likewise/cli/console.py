"""All of rich: what commands print, and how."""

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

PIPED_WIDTH = 160  # columns where no terminal says how wide it is


def program() -> str:
    """How the user can call `likewise` again: by name, or by its path where that is not known."""
    if shutil.which("likewise"):
        return "likewise"
    as_module = sys.argv[0].endswith("__main__.py")
    return f"{sys.executable} -m likewise" if as_module else sys.argv[0]


def say(text: str, *, quiet: bool = False, style: str | None = None) -> None:
    """Print a line for a person on the standard error, so that stdout stays clean for --json."""
    if not quiet:
        Console(stderr=True, highlight=False).print(escape(text), style=style, soft_wrap=True)


def answer(text: str) -> None:
    """Print a line of the command's own result on stdout."""
    Console(highlight=False).print(escape(text), soft_wrap=True)


def emit_json(value: Any) -> None:
    """Print one JSON document on stdout: with --json, the only thing there."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def show_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, n_left: int = 1
) -> None:
    """Print a table on stdout: the first columns to the left, the others to the right.

    Args:
        title: above the table.
        columns: headings.
        rows: one text a column.
        n_left: how many of the first columns hold words; numbers stand to the right.
    """
    piped = None if sys.stdout.isatty() else PIPED_WIDTH
    console = Console(highlight=False, width=piped)
    table = Table(title=escape(title), title_justify="left", title_style="bold")
    for i, column in enumerate(columns):
        table.add_column(escape(column), justify="left" if i < n_left else "right")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)
