"""One check a file: a pure function of a data set that returns what it found."""

from likewise.data.checks.duplicates import check_duplicates
from likewise.data.checks.finding import Check
from likewise.data.checks.labels import check_labels
from likewise.data.checks.leakage import check_leakage
from likewise.data.checks.lengths import check_lengths
from likewise.data.checks.scores import check_scores
from likewise.data.checks.suspicious import check_suspicious
from likewise.registry import Table

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

__all__ = ["CHECKS"]
