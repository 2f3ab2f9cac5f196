"""Scored pairs: two texts and how alike people found them."""

import pyarrow as pa

from likewise.data.kinds.kind import Kind, Role, text_role
from likewise.data.kinds.values import parse_score, parse_text

SCORED = Kind(
    name="scored",
    roles=(
        text_role("sentence1", parse_text),
        text_role("sentence2", parse_text),
        Role(
            name="score",
            parse=parse_score,
            arrow=pa.float64(),
            mend="write a number with a decimal point, such as 3.8",
        ),
    ),
    example={"sentence1": "A man is eating.", "sentence2": "Someone eats.", "score": 3.8},
    meaning="a higher score means more alike",
    is_symmetric=True,
)
