"""Which labels there are, and how often."""

from collections.abc import Sequence

import pyarrow as pa

from likewise.data.checks.finding import Data, Finding
from likewise.data.dataset import Dataset
from likewise.data.kinds.values import NLI_LABELS
from likewise.errors import InputError

LISTED = 10
RARE_SHARE = 0.01


def check_labels(data: Data, others: Sequence[Data] = ()) -> list[Finding]:
    """A histogram of labels or grades; a single label is a warning, rare ones are named.

    Args:
        data: of any kind; without labels nothing is found.
        others: not used.
    """
    counts = _counts(data)
    if not counts:
        return []
    total = sum(counts.values())
    listed = ", ".join(
        f"{name}: {n:,} ({n / total:.0%})" for name, n in list(counts.items())[:LISTED]
    )
    more = f", and {len(counts) - LISTED} more" if len(counts) > LISTED else ""
    what = "label" if isinstance(data, Dataset) else "grade"
    what += "s" if len(counts) > 1 else ""
    text = f"{len(counts)} {what}; {listed}{more}"
    findings = [Finding(level="note", text=text, count=total, facts=counts)]
    if not isinstance(data, Dataset):
        return findings
    if len(counts) == 1:
        text = f"all {total:,} rows have the label {next(iter(counts))}: nothing tells them apart"
        mend = "add rows with other labels"
        findings.append(Finding(level="warning", text=text, count=total, mend=mend))
    rare = [name for name, n in counts.items() if n < 2 or n < RARE_SHARE * total / len(counts)]
    if data.kind == "labelled" and len(counts) > 1 and rare:
        listed = ", ".join(rare[:LISTED]) + (" …" if len(rare) > LISTED else "")
        text = f"{len(rare)} labels are very rare: {listed}"
        mend = "collect more rows for them, or join them with a related label"
        findings.append(Finding(level="warning", text=text, count=len(rare), mend=mend))
    return findings


def refuse_one_class(data: Dataset) -> None:
    """Stop before any work where all rows have one label: nothing can be learnt or measured.

    Args:
        data: with labels.

    Raises:
        InputError: there is one label only.
    """
    counts = _counts(data)
    if len(counts) > 1:
        return
    problem = f"all {len(data):,} rows have the label {next(iter(counts))}, and classes need two"
    raise InputError(problem, mend="give rows of other labels too", where=data.file)


def _counts(data: Data) -> dict[str, int]:
    """Label to how often it stands, the most frequent first."""
    if not isinstance(data, Dataset):
        grades = [g for documents in data.judgements.values() for g in documents.values()]
        values = pa.chunked_array([pa.array(grades, type=pa.int64())])
    elif "label" in data.roles:
        values = data.table.column("label")
    else:
        return {}
    rows = sorted(values.value_counts().to_pylist(), key=lambda r: (-r["counts"], str(r["values"])))
    names = dict(enumerate(NLI_LABELS)) if data.kind == "nli" else {}
    return {str(names.get(row["values"], row["values"])): row["counts"] for row in rows}
