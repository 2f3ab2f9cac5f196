"""Natural language inference: what a hypothesis is to its premise."""

import pyarrow as pa

from likewise.data.kinds.kind import Kind, Role, text_role
from likewise.data.kinds.values import NLI_LABELS, parse_nli_label, parse_text

NLI = Kind(
    name="nli",
    roles=(
        text_role("premise", parse_text),
        text_role("hypothesis", parse_text),
        Role(
            name="label",
            parse=parse_nli_label,
            arrow=pa.int64(),
            mend="write 0, 1 or 2, or entailment, neutral or contradiction, in English",
        ),
    ),
    example={"premise": "A man is eating.", "hypothesis": "Someone eats.", "label": "entailment"},
    drawn_by="premise",
    meaning="labels: " + ", ".join(f"{i} {name}" for i, name in enumerate(NLI_LABELS)),
)
