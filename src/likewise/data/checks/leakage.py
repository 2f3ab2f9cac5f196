"""Rows that occur in more than one of the data sets given together."""

from collections.abc import Sequence

from likewise.data.checks.finding import Data, Finding, places
from likewise.data.dataset import Dataset
from likewise.data.leakage import leaked_rows


def check_leakage(data: Data, others: Sequence[Data] = ()) -> list[Finding]:
    """Which rows of `data` stand in an earlier data set too.

    Args:
        data: to be looked at, as the test or dev set.
        others: as the sets it would be trained on.

    Returns:
        A warning for each set with such rows; an error where it is half of them or more, as no
        measurement on them means anything.
    """
    findings = []
    for other in others:
        leaked = leaked_rows(other, data)
        if not len(leaked):
            continue
        rows = "rows" if isinstance(data, Dataset) else "queries"
        name = ", ".join(other.sources) or getattr(other, "name", "the other data")
        findings.append(
            Finding(
                level="error" if 2 * len(leaked) >= len(data) else "warning",
                text=f"{len(leaked):,} of {len(data):,} {rows} occur in {name} too",
                rows=places(data, leaked),
                count=len(leaked),
                mend="remove them from one of the two: a test on seen rows proves nothing",
                facts={"share": len(leaked) / len(data)},
            )
        )
    return findings
