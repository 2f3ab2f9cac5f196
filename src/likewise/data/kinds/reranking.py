"""Reranking: queries, each with some documents that were judged."""

import pyarrow as pa

from likewise.data.kinds.kind import Kind, Role, text_role
from likewise.data.kinds.values import parse_grade, parse_text

RERANKING = Kind(
    name="reranking",
    roles=(
        text_role("query", parse_text, accepts=("question",)),
        text_role("document", parse_text, accepts=("passage", "answer")),
        Role(
            name="label",
            parse=parse_grade,
            arrow=pa.int64(),
            accepts=("grade", "relevance", "relevant", "is_relevant"),
            mend="write 0 for a document that does not answer, 1 or more for one that does",
        ),
    ),
    example={"query": "how do I reset it?", "document": "Hold the button.", "label": 1},
    drawn_by="query",
    meaning="labels: 0 does not answer, 1 or more does",
)
