"""One check a file: a pure function of a data set that returns what it found."""

from collections.abc import Callable, Sequence
from typing import Protocol

from likewise.data.checks.duplicates import check_duplicates
from likewise.data.checks.finding import Data, Finding
from likewise.data.checks.labels import check_labels
from likewise.data.checks.leakage import check_leakage
from likewise.data.checks.lengths import check_lengths
from likewise.data.checks.scores import check_scores
from likewise.data.checks.suspicious import check_suspicious
from likewise.registry import Table


class Check(Protocol):
    """What every check is: a look at one data set, and perhaps at those given before it."""

    def __call__(self, data: Data, others: Sequence[Data] = ()) -> list[Finding]:
        """Return what was found; nothing found is an empty list."""
        ...


CHECKS: Table[Check] = Table(
    "likewise.checks",
    {
        "labels": check_labels,
        "scores": check_scores,
        "lengths": check_lengths,
        "duplicates": check_duplicates,
        "suspicious": check_suspicious,
        "leakage": check_leakage,
    },
)


def run_checks(
    data: Data, others: Sequence[Data] = (), *, advance: Callable[[int], None] | None = None
) -> dict[str, list[Finding]]:
    """Every check of the table, by its name.

    Args:
        data: to be looked at.
        others: the data sets given before it.
        advance: called with 1 after each check.
    """
    found = {}
    for name, check in CHECKS.items():
        found[name] = check(data, others)
        if advance:
            advance(1)
    return found


__all__ = ["CHECKS", "run_checks"]
