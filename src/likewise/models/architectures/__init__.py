"""One family of encoders a file; the table tells which are native."""

from likewise.models.architectures.architecture import Architecture
from likewise.models.architectures.bert import BERT
from likewise.models.architectures.distilbert import DISTILBERT
from likewise.models.architectures.modernbert import MODERNBERT
from likewise.models.architectures.mpnet import MPNET
from likewise.models.architectures.padded import PADDED
from likewise.models.architectures.roberta import ROBERTA
from likewise.models.architectures.static import STATIC
from likewise.registry import Table

# By the `model_type` of config.json; "padded" stands in for every family that is not here.
ARCHITECTURES: Table[Architecture] = Table(
    "likewise.architectures",
    {
        "bert": BERT,
        "roberta": ROBERTA,
        "xlm-roberta": ROBERTA,
        "camembert": ROBERTA,
        "distilbert": DISTILBERT,
        "mpnet": MPNET,
        "modernbert": MODERNBERT,
        "static": STATIC,
        "padded": PADDED,
    },
)

__all__ = ["ARCHITECTURES", "Architecture"]
