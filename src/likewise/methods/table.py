"""The methods by name; for each kind of data, `auto` takes the first that suits it."""

from likewise.methods.cosine import train_cosine
from likewise.methods.mnr import train_mnr
from likewise.methods.softmax import train_softmax
from likewise.methods.spec import MethodSpec
from likewise.registry import Table

METHODS: Table[MethodSpec] = Table(
    "likewise.methods",
    {
        "mnr": MethodSpec(
            function=train_mnr,
            kinds=("pairs", "nli"),
            summary="pairs that belong together; other rows of the batch are the negatives",
        ),
        "cosine": MethodSpec(
            function=train_cosine,
            kinds=("scored", "nli"),
            summary="pairs with a score; NLI labels count as scores",
        ),
        "softmax": MethodSpec(
            function=train_softmax,
            kinds=("nli",),
            summary="NLI labels through a classifier; the oldest recipe, for comparison",
        ),
    },
)
