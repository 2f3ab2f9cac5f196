"""Losses: pure functions of embeddings and targets, one a file."""

from likewise.losses.adaptive_layers import adaptive_layers
from likewise.losses.all_directions_contrast import improved_contrastive
from likewise.losses.angle_optimization import angle
from likewise.losses.batch_all_triplets import batch_all
from likewise.losses.batch_hard_soft_triplets import batch_hard_soft
from likewise.losses.batch_hard_triplets import batch_hard
from likewise.losses.batch_semi_hard_triplets import batch_semi_hard
from likewise.losses.contrastive_margin import contrastive
from likewise.losses.cosent_ranking import cosent
from likewise.losses.cosine_regression import cosine
from likewise.losses.divergence_distillation import kl
from likewise.losses.embedding_distillation import mse
from likewise.losses.guided_negatives import gist
from likewise.losses.margin_distillation import margin_mse
from likewise.losses.mega_batch_margin_ranking import mega_batch_margin
from likewise.losses.multiple_negatives import mnr
from likewise.losses.online_contrastive_margin import online_contrastive
from likewise.losses.orthogonality import orthogonality
from likewise.losses.pairwise_sigmoid import pair_scale, sigmoid
from likewise.losses.softmax_classification import pair_classifier, softmax_nli
from likewise.losses.spec import LossSpec
from likewise.losses.triplet_margin import triplet
from likewise.losses.truncation import matryoshka
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
        "improved-contrastive": LossSpec(
            function=improved_contrastive,
            roles=("anchor", "positive", "negative"),
            kinds=("pairs",),
            layout="contrast",
            paper="Li et al. 2023",
            use="as mnr, with four times the negatives: each side also against itself",
        ),
        "gist": LossSpec(
            function=gist,
            roles=("anchor", "positive", "negative"),
            kinds=("pairs",),
            layout="contrast",
            guided=True,
            paper="Solatorio 2024",
            use="as mnr, where batches hold unmarked positives: a guide model takes them out",
        ),
        "sigmoid": LossSpec(
            function=sigmoid,
            roles=("anchor", "positive", "negative"),
            kinds=("pairs",),
            layout="contrast",
            head=pair_scale,
            paper="Zhai et al. 2023",
            use="as mnr, for small batches: each pair is a yes or no of its own",
        ),
        "mega-batch-margin": LossSpec(
            function=mega_batch_margin,
            roles=("anchor", "positive", "negative"),
            kinds=("pairs",),
            layout="contrast",
            paper="Wieting and Gimpel 2018",
            use="paraphrases in batches of 500 and more, of which the hardest negative counts",
        ),
        "triplet": LossSpec(
            function=triplet,
            roles=("anchor", "positive", "negative"),
            kinds=("pairs",),
            layout="triplets",
            paper="Reimers and Gurevych 2019",
            use="triplets whose negatives are good, and no other row should be one",
        ),
        "cosine": LossSpec(
            function=cosine,
            roles=("sentence1", "sentence2", "score"),
            kinds=("scored",),
            paper="Reimers and Gurevych 2019",
            use="pairs with a score that the cosine should equal",
        ),
        "cosent": LossSpec(
            function=cosent,
            roles=("sentence1", "sentence2", "score"),
            kinds=("scored",),
            paper="Huang et al. 2024",
            use="scored pairs of which the order counts, and not the value",
        ),
        "angle": LossSpec(
            function=angle,
            roles=("sentence1", "sentence2", "score"),
            kinds=("scored",),
            paper="Li and Li 2024",
            use="as cosent, where many scores are near the ends of their range",
        ),
        "contrastive": LossSpec(
            function=contrastive,
            roles=("sentence1", "sentence2", "label"),
            kinds=("pair-labels",),
            paper="Hadsell et al. 2006",
            use="pairs marked as same or different",
        ),
        "online-contrastive": LossSpec(
            function=online_contrastive,
            roles=("sentence1", "sentence2", "label"),
            kinds=("pair-labels",),
            paper="Hadsell et al. 2006",
            use="as contrastive, where most pairs are easy: only the hard ones of a batch count",
        ),
        "softmax": LossSpec(
            function=softmax_nli,
            roles=("premise", "hypothesis", "label"),
            kinds=("nli",),
            head=pair_classifier,
            paper="Reimers and Gurevych 2019",
            use="NLI labels through a classifier; the oldest recipe, for comparison",
        ),
        "batch-all": LossSpec(
            function=batch_all,
            roles=("text", "label"),
            kinds=("labelled",),
            grouped=True,
            paper="Hermans et al. 2017",
            use="texts with classes, where labels are noisy: every triplet of a batch has a say",
        ),
        "batch-hard": LossSpec(
            function=batch_hard,
            roles=("text", "label"),
            kinds=("labelled",),
            grouped=True,
            paper="Hermans et al. 2017",
            use="texts with classes and clean labels: the hardest triplet of each text",
        ),
        "batch-hard-soft": LossSpec(
            function=batch_hard_soft,
            roles=("text", "label"),
            kinds=("labelled",),
            grouped=True,
            paper="Hermans et al. 2017",
            use="as batch-hard, without a margin to choose",
        ),
        "batch-semi-hard": LossSpec(
            function=batch_semi_hard,
            roles=("text", "label"),
            kinds=("labelled",),
            grouped=True,
            paper="Schroff et al. 2015",
            use="texts with classes, where batch-hard collapses: negatives just past each positive",
        ),
        "margin-mse": LossSpec(
            function=margin_mse,
            roles=("anchor", "candidates", "scores"),
            kinds=("distilled",),
            layout="candidates",
            paper="Hofstätter et al. 2020",
            use="a teacher's scores of a positive and its negatives, as from a cross-encoder",
        ),
        "kl": LossSpec(
            function=kl,
            roles=("anchor", "candidates", "scores"),
            kinds=("distilled",),
            layout="candidates",
            paper="Lin et al. 2020",
            use="as margin-mse, with several negatives of which the nearest should count most",
        ),
        "mse": LossSpec(
            function=mse,
            roles=("text",),
            kinds=("texts",),
            guided=True,
            paper="Reimers and Gurevych 2020",
            use="plain texts and a teacher of the same width, to become as the teacher is",
        ),
    },
)

__all__ = [
    "LOSSES",
    "LossSpec",
    "adaptive_layers",
    "angle",
    "batch_all",
    "batch_hard",
    "batch_hard_soft",
    "batch_semi_hard",
    "contrastive",
    "cosent",
    "cosine",
    "gist",
    "improved_contrastive",
    "kl",
    "margin_mse",
    "matryoshka",
    "mega_batch_margin",
    "mnr",
    "mse",
    "online_contrastive",
    "orthogonality",
    "sigmoid",
    "softmax_nli",
    "triplet",
]
