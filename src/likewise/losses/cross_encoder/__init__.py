"""Losses of cross-encoders: pure functions of logits and targets, one a file."""

from likewise.losses.cross_encoder.binary_classification import binary_cross_entropy
from likewise.losses.cross_encoder.label_classification import cross_entropy
from likewise.losses.cross_encoder.lambda_loss import lambda_ranking
from likewise.losses.cross_encoder.listwise_cross_entropy import list_net
from likewise.losses.cross_encoder.multiple_negatives import ranking_softmax
from likewise.losses.cross_encoder.score_regression import mean_squared_error
from likewise.losses.cross_encoder.spec import CrossLossSpec
from likewise.registry import Table

CROSS_LOSSES: Table[CrossLossSpec] = Table(
    "likewise.cross_losses",
    {
        "binary-cross-entropy": CrossLossSpec(
            function=binary_cross_entropy,
            form="pairs",
            kinds=("pair-labels", "scored", "reranking"),
            paper="Nogueira and Cho 2019",
            use="pairs labelled yes or no, or scores brought to 0..1; the first to try",
        ),
        "cross-entropy": CrossLossSpec(
            function=cross_entropy,
            form="pairs",
            kinds=("nli",),
            classes="labels",
            paper="Devlin et al. 2019",
            use="pairs with one of several labels, as in NLI",
        ),
        "mse": CrossLossSpec(
            function=mean_squared_error,
            form="pairs",
            kinds=("scored",),
            paper="Hofstätter et al. 2020",
            use="scores to be predicted as they are, as those of a teacher",
        ),
        "mnr": CrossLossSpec(
            function=ranking_softmax,
            form="lists",
            kinds=("pairs", "reranking"),
            paper="Gao et al. 2021",
            use="pairs that belong together, against negatives: a reranker without labels",
        ),
        "lambda": CrossLossSpec(
            function=lambda_ranking,
            form="lists",
            graded=True,
            kinds=("pairs", "reranking"),
            paper="Wang et al. 2018",
            use="candidates of one query by grade; a reranker judged by NDCG",
        ),
        "list-net": CrossLossSpec(
            function=list_net,
            form="lists",
            graded=True,
            kinds=("pairs", "reranking"),
            paper="Cao et al. 2007",
            use="candidates of one query by grade, as one distribution; for comparison",
        ),
    },
)

__all__ = [
    "CROSS_LOSSES",
    "CrossLossSpec",
    "binary_cross_entropy",
    "cross_entropy",
    "lambda_ranking",
    "list_net",
    "mean_squared_error",
    "ranking_softmax",
]
