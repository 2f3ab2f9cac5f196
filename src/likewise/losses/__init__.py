"""Losses: pure functions of embeddings and targets, one a file."""

from likewise.losses.cosine_regression import cosine
from likewise.losses.multiple_negatives import mnr
from likewise.losses.softmax_classification import pair_classifier, softmax_nli
from likewise.losses.spec import LossSpec
from likewise.registry import Table

LOSSES: Table[LossSpec] = Table(
    "likewise.losses",
    {
        "mnr": LossSpec(
            function=mnr,
            roles=("anchor", "positive", "negative"),
            kinds=("pairs",),
            layout="contrast",
            paper="Henderson et al. 2017",
            use="pairs that belong together; the other rows of a batch are the negatives",
        ),
        "cosine": LossSpec(
            function=cosine,
            roles=("sentence1", "sentence2", "score"),
            kinds=("scored",),
            paper="Reimers and Gurevych 2019",
            use="pairs with a score that the cosine should equal",
        ),
        "softmax": LossSpec(
            function=softmax_nli,
            roles=("premise", "hypothesis", "label"),
            kinds=("nli",),
            head=pair_classifier,
            paper="Reimers and Gurevych 2019",
            use="NLI labels through a classifier; the oldest recipe, for comparison",
        ),
    },
)

__all__ = ["LOSSES", "LossSpec", "cosine", "mnr", "softmax_nli"]
