"""Labelled texts: a text and the class it belongs to."""

import pyarrow as pa

from likewise.data.kinds.kind import Kind, Role, text_role
from likewise.data.kinds.values import parse_any_label, parse_text

LABELLED = Kind(
    name="labelled",
    roles=(
        text_role("text", parse_text, accepts=("sentences",)),
        Role(
            name="label",
            parse=parse_any_label,
            arrow=pa.large_string(),
            mend="write the name of its class",
            accepts=("labels",),
        ),
    ),
    example={"text": "I still wait for my card.", "label": "card_arrival"},
    meaning="labels are names: equal ones mean the same class",
)
