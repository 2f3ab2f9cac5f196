"""Rows that occur in more than one of the data sets given together."""

from collections.abc import Sequence

import numpy as np

from likewise.data.checks.finding import Data, Finding, places
from likewise.data.dataset import Dataset
from likewise.data.leakage import find_leaks


def check_leakage(data: Data, others: Sequence[Data] = ()) -> list[Finding]:
    """Which rows of `data` stand in an earlier data set too.

    Args:
        data: to be looked at, as the test or dev set.
        others: as the sets it would be trained on.

    Returns:
        A warning for each set with such rows; an error where it is half of them or more, as no
        measurement on them means anything. A warning of rows that are nearly the same.
    """
    findings = []
    for other in others:
        found = find_leaks(other, data)
        rows = "rows" if isinstance(data, Dataset) else "queries"
        name = ", ".join(other.sources) or getattr(other, "name", "the other data")
        same = np.sort(np.concatenate([found.exact, found.normalised]))
        told = (
            (same, "occur", "a test on seen rows proves nothing"),
            (found.near, "nearly occur", "where they say the same, they were seen"),
        )
        for leaked, how, why in told:
            if not len(leaked):
                continue
            is_most = how == "occur" and 2 * len(leaked) >= len(data)
            findings.append(
                Finding(
                    level="error" if is_most else "warning",
                    text=f"{len(leaked):,} of {len(data):,} {rows} {how} in {name} too",
                    rows=places(data, leaked),
                    count=len(leaked),
                    mend=f"remove them from one of the two: {why}",
                    facts={"share": len(leaked) / len(data)},
                )
            )
    return findings
