"""One kind of data a file: its roles, accepted column names and what their cells hold."""

from likewise.data.kinds.distilled import DISTILLED
from likewise.data.kinds.kind import Kind
from likewise.data.kinds.labelled import LABELLED
from likewise.data.kinds.nli import NLI
from likewise.data.kinds.pair_labels import PAIR_LABELS
from likewise.data.kinds.pairs import PAIRS
from likewise.data.kinds.reranking import RERANKING
from likewise.data.kinds.scored import SCORED
from likewise.data.kinds.texts import TEXTS
from likewise.registry import Table

KINDS: Table[Kind] = Table(
    "likewise.kinds",
    {
        "pairs": PAIRS,
        "scored": SCORED,
        "nli": NLI,
        "pair-labels": PAIR_LABELS,
        "reranking": RERANKING,
        "labelled": LABELLED,
        "distilled": DISTILLED,
        "texts": TEXTS,
    },
)

__all__ = ["KINDS"]
