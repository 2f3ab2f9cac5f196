"""Pair labels: two texts that mean the same, or do not."""

import pyarrow as pa

from likewise.data.kinds.kind import Kind, Role, text_role
from likewise.data.kinds.values import parse_binary_label, parse_text

PAIR_LABELS = Kind(
    name="pair-labels",
    roles=(
        text_role("sentence1", parse_text, accepts=("sent1",)),
        text_role("sentence2", parse_text, accepts=("sent2",)),
        Role(
            name="label",
            parse=parse_binary_label,
            arrow=pa.int64(),
            mend="write 0 or 1; if it is a score: --kind scored --columns score=label",
            accepts=("labels",),
        ),
    ),
    example={"sentence1": "A man is eating.", "sentence2": "Someone eats.", "label": 1},
    meaning="labels: 0 different, 1 same",
    is_symmetric=True,
)
