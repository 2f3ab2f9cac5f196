"""What every page is made with: templates that escape all text, and a file that is whole or not."""

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from likewise.report.wording import (
    chance,
    duration,
    interval,
    metric_name,
    number,
    signed,
    why_no_better,
)


def build_environment(**filters: Callable[..., Any]) -> Environment:
    """Templates of this package, with the words of numbers and metrics as filters.

    Args:
        **filters: more of them, by name.
    """
    environment = Environment(
        loader=PackageLoader("likewise.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "signed": signed,
        "chance": chance,
        "interval": interval,
        "metric": metric_name,
        "duration": duration,
        "why_no_better": why_no_better,
        "percent": lambda share: f"{100 * share:.0f} %",
        **filters,
    }
    return environment


def write_whole(page: str, out: Path) -> Path:
    """Write a page beside and rename it; what was there is replaced."""
    draft = out.with_name(f".{out.name}.draft")
    draft.write_text(page, encoding="utf-8")
    return draft.replace(out)


def own_version() -> str:
    """Of this package; "" where it is not installed."""
    try:
        return version("likewise")
    except PackageNotFoundError:
        return ""
