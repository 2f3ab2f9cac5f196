"""Teacher scores: a text, its answer and wrong ones, with what another model thinks of each."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from likewise.data.kinds.kind import Kind, Role, text_role
from likewise.data.kinds.values import parse_scores, parse_text, parse_texts


def disagreement(row: Mapping[str, Any], first: Mapping[str, Any]) -> tuple[str, str] | None:
    """What is wrong with a row whose cells are each right: a role and the problem.

    Args:
        row: role to value.
        first: the first row of the data; every row has as many negatives as it.

    >>> one = {"positive": "a", "negative": ["b"], "scores": [9.0, 1.0]}
    >>> disagreement({**one, "scores": [9.0]}, one)
    ('scores', 'expected 2 scores, of the positive and 1 negative, found 1')
    """
    negatives, expected = (_count(one["negative"]) for one in (row, first))
    if negatives != expected:
        return "negative", f"expected {_counted(expected)}, as in the first row, found {negatives}"
    found = len(row["scores"])
    if found != negatives + 1:
        of = f"of the positive and {_counted(negatives)}"
        return "scores", f"expected {negatives + 1} scores, {of}, found {found}"
    return None


def _count(negative: str | list[str]) -> int:
    return len(negative) if isinstance(negative, list) else 1


def _counted(negatives: int) -> str:
    return f"{negatives} negative{'s' if negatives > 1 else ''}"


DISTILLED = Kind(
    name="distilled",
    roles=(
        text_role("anchor", parse_text, accepts=("query", "question")),
        text_role("positive", parse_text, accepts=("answer", "passage", "document")),
        text_role("negative", parse_texts, accepts=("negatives",), numbered=True),
        Role(
            name="scores",
            parse=parse_scores,
            arrow=pa.float64(),
            accepts=("teacher_scores",),
            mend="write the teacher's score of the positive, then of each negative: [9.1, 0.4]",
        ),
    ),
    example={
        "anchor": "how do I reset it?",
        "positive": "Hold the button for ten seconds.",
        "negative": "Press the button to switch it on.",
        "scores": [9.1, 0.4],
    },
    meaning="teacher scores: of the positive, then of each negative; higher means a better answer",
    whole=disagreement,
)
