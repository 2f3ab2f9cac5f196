"""How the scores are spread over their scale."""

from collections.abc import Sequence

import numpy as np

from likewise.data.checks.finding import Data, Finding, places
from likewise.data.dataset import Dataset
from likewise.data.scales import USUAL
from likewise.errors import InputError

BINS = 5


def check_scores(data: Data, others: Sequence[Data] = ()) -> list[Finding]:
    """A histogram over the scale; equal scores and an unusual scale are warnings.

    Of a teacher's scores: how far it puts the positives above the negatives.

    Args:
        data: of any kind; without scores nothing is found.
        others: not used.
    """
    if isinstance(data, Dataset) and "scores" in data.roles:
        return _check_teacher(data)
    if not isinstance(data, Dataset) or "score" not in data.roles:
        return []
    scores = data.numbers("score")
    low, high = data.score_range or (float(scores.min()), float(scores.max()))
    if np.ptp(scores) == 0:
        text = f"all {len(scores):,} scores are {scores[0]:g}: there is nothing to learn from them"
        mend = "give pairs that people scored differently"
        return [Finding(level="warning", text=text, count=len(scores), mend=mend)]
    counts, edges = np.histogram(scores, bins=BINS, range=(low, high))
    bins = {f"{a:g} to {b:g}": int(n) for a, b, n in zip(edges, edges[1:], counts, strict=False)}
    listed = ", ".join(f"{name}: {n:,}" for name, n in bins.items())
    text = f"scores on a scale from {low:g} to {high:g}, mean {scores.mean():.3g}; {listed}"
    findings = [Finding(level="note", text=text, count=len(scores), facts=bins)]
    if (low, high) == (float(scores.min()), float(scores.max())) and (low, high) not in USUAL:
        text = f"the scale {low:g} to {high:g} is only what was found: no usual scale fits"
        mend = "state it: --score-range LOW,HIGH"
        findings.append(Finding(level="warning", text=text, count=len(scores), mend=mend))
    return findings


def refuse_equal_scores(data: Dataset) -> None:
    """Stop before any work where all scores are equal: there is no order to be learnt.

    Args:
        data: with scores.

    Raises:
        InputError: all are equal.
    """
    scores = data.numbers("score")
    if np.ptp(scores) == 0:
        problem = f"all {len(data):,} scores are {scores[0]:g}: nothing to learn"
        raise InputError(problem, mend="give pairs with different scores", where=data.file)


def _check_teacher(data: Dataset) -> list[Finding]:
    scores = data.score_lists()  # [n, C]
    margins = scores[:, 0] - scores[:, 1:].max(axis=1)
    if np.ptp(scores) == 0:
        text = f"all {scores.size:,} teacher scores are {scores[0, 0]:g}: they teach nothing"
        mend = "score the texts with a model that tells them apart"
        return [Finding(level="warning", text=text, count=len(data), mend=mend)]
    text = (
        f"teacher scores from {scores.min():g} to {scores.max():g}; the positive stands above the "
        f"best negative by {np.median(margins):.3g} (median)"
    )
    facts = {"lowest": float(scores.min()), "highest": float(scores.max())}
    facts["median_margin"] = float(np.median(margins))
    findings = [Finding(level="note", text=text, count=len(data), facts=facts)]
    odd = np.flatnonzero(margins < 0)
    if len(odd):
        text = f"in {len(odd):,} of {len(data):,} rows the teacher holds a negative for better"
        mend = "look at these rows: a student learns what the teacher says, not the column's name"
        found = places(data, odd)
        findings.append(Finding(level="warning", text=text, rows=found, count=len(odd), mend=mend))
    return findings
