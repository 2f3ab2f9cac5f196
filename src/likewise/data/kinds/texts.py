"""Plain texts: nothing but the text."""

from likewise.data.kinds.kind import Kind, text_role
from likewise.data.kinds.values import parse_text

TEXTS = Kind(
    name="texts",
    roles=(text_role("text", parse_text),),
    example={"text": "A sentence of the domain."},
)
