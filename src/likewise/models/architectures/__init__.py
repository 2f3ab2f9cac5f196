"""One family of encoders a file; the table tells which are native."""

from likewise.models.architectures.architecture import Architecture
from likewise.models.architectures.bert import BERT
from likewise.registry import Table

ARCHITECTURES: Table[Architecture] = Table("likewise.architectures", {"bert": BERT})

__all__ = ["ARCHITECTURES", "Architecture"]
