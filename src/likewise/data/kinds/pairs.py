"""Pairs: a text and one that answers it, perhaps with some that do not."""

from likewise.data.kinds.kind import Kind, text_role
from likewise.data.kinds.values import parse_optional_texts, parse_text, parse_texts

PAIRS = Kind(
    name="pairs",
    roles=(
        text_role("anchor", parse_text, accepts=("query", "question")),
        text_role("positive", parse_texts, accepts=("answer", "passage", "document")),
        text_role(
            "negative",
            parse_optional_texts,
            accepts=("negatives",),
            required=False,
            numbered=True,
        ),
    ),
    example={"anchor": "how do I reset it?", "positive": "Hold the button for ten seconds."},
    # beside a judgement, not every row is a positive: to train on all would teach the mistakes
    contradicted_by=(
        "label",
        "labels",
        "score",
        "scores",
        "grade",
        "rating",
        "relevance",
        "relevant",
        "is_relevant",
        "similarity",
        "gold_label",
        "is_duplicate",
    ),
)
