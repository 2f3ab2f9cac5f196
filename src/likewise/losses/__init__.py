"""Losses: pure functions of embeddings and targets, one a file."""

from likewise.losses.cosine_regression import cosine
from likewise.losses.multiple_negatives import mnr
from likewise.losses.softmax_classification import pair_classifier, softmax_nli
from likewise.losses.spec import LossSpec
from likewise.registry import Table

LOSSES: Table[LossSpec] = Table(
    "likewise.losses",
    {
        "mnr": LossSpec(function=mnr, roles=("anchor", "positive", "negative"), contrastive=True),
        "cosine": LossSpec(function=cosine, roles=("sentence1", "sentence2", "score")),
        "softmax": LossSpec(
            function=softmax_nli, roles=("premise", "hypothesis", "label"), head=pair_classifier
        ),
    },
)

__all__ = ["LOSSES", "LossSpec", "cosine", "mnr", "softmax_nli"]
