"""What a run says of its data, training and machine, as names and values to read."""

import re
from collections.abc import Mapping
from statistics import median
from typing import Any, TypeAlias

from likewise.report.record import RunRecord
from likewise.report.wording import duration, number

Facts: TypeAlias = list[tuple[str, str]]

DIGEST = re.compile(r"^[0-9a-f]{64}$")
GIBIBYTE = 2**30
MACHINE = ("machine", "python", "packages")
ELSEWHERE = {"schema", "command", "files", "notes", "started", "base", *MACHINE}


def training_facts(run: RunRecord) -> Facts:
    """Steps, rows, tokens, time and speed; nothing where no step was kept."""
    if not run.steps:
        return []
    seconds = run.steps[-1].seconds
    rows = sum(step.rows for step in run.steps)
    facts = [
        ("Steps", f"{run.steps[-1].step:,}"),
        ("Rows seen", f"{rows:,}"),
        ("Tokens read", f"{sum(step.tokens for step in run.steps):,}"),
        ("Time in training", duration(seconds)),
    ]
    if seconds > 0:
        facts.append(("Speed", f"{rows / seconds:,.1f} rows a second"))
    norm = median(step.gradient_norm for step in run.steps)
    return [*facts, ("Median gradient norm", number(norm))]


def data_facts(run: RunRecord) -> Facts:
    """Row counts and whatever else the manifest says of the data, and the masked negatives."""
    own = {key: value for key, value in run.manifest.items() if key not in ELSEWHERE}
    facts = flatten(own)
    if run.steps:
        masked = sum(step.masked for step in run.steps)
        facts.append(("In-batch negatives masked because they repeat a positive", f"{masked:,}"))
    return facts


def data_files(run: RunRecord) -> Facts:
    """Every data file with its hash."""
    files = run.manifest.get("files", {})
    if not isinstance(files, Mapping):
        return []
    return [
        (str(name), said(digest) if digest else "not a local file")
        for name, digest in files.items()
    ]


def notes(run: RunRecord) -> list[str]:
    """What reading and measuring decided or dropped."""
    kept = run.manifest.get("notes", [])
    own = [str(note) for note in kept] if isinstance(kept, list) else [str(kept)]
    return own + list(run.diagnosis.notes if run.diagnosis else ())


def machine_facts(run: RunRecord) -> Facts:
    """Versions and machine."""
    known = {key: run.manifest[key] for key in MACHINE if key in run.manifest}
    return flatten(known, hidden=("machine", "packages"))


def made_facts(run: RunRecord) -> Facts:
    """Base model and start."""
    named = {"base": "Base model", "started": "Started"}
    return [(name, said(run.manifest[key])) for key, name in named.items() if key in run.manifest]


def flatten(values: Mapping[str, Any], *, hidden: tuple[str, ...] = ()) -> Facts:
    """Nested names and values as a flat list, in order.

    Args:
        values: as JSON holds them.
        hidden: outer names that the inner ones do not need.

    >>> flatten({"rows": {"train": 4348, "dev": 853}, "seed": 42})
    [('rows, train', '4,348'), ('rows, dev', '853'), ('seed', '42')]
    """
    facts: Facts = []
    for key, value in values.items():
        name = str(key).replace("_", " ")
        if isinstance(value, Mapping):
            start = "" if key in hidden else f"{name}, "
            facts += [(f"{start}{inner}", text) for inner, text in flatten(value)]
        elif value is not None and value != []:
            facts.append((name, _memory(value) if key == "memory" else said(value)))
    return facts


def said(value: Any) -> str:
    """One value of a manifest, as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(said(item) for item in value)
    text = str(value)
    return f"{text[:16]}…" if DIGEST.match(text) else text


def _memory(value: Any) -> str:
    return f"{value / GIBIBYTE:.1f} GiB" if isinstance(value, int | float) else str(value)
