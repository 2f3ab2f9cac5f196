"""Multiple-negatives ranking: pairs that belong together, everything else in the batch apart."""

from typing import Any, Literal

from likewise.data.dataset import Dataset
from likewise.data.derive import with_easy_negatives
from likewise.losses import LOSSES
from likewise.methods.conversions import as_kind, tell_new
from likewise.methods.refusals import refuse_unfit
from likewise.mining.negatives import semi_hard_negatives
from likewise.mining.vectors import TimedEmbed
from likewise.registry import Positive
from likewise.training.fit import Fit
from likewise.training.objective import objective_of


def train_mnr(
    fit: Fit[Any],
    data: Dataset,
    *,
    scale: Positive = 20.0,
    symmetric: bool = False,
    negatives: Literal["hard", "semi-hard", "easy", "none"] = "hard",
) -> None:
    """Train with in-batch negatives (Henderson et al. 2017; SBERT's recipe for NLI).

    NLI rows become pairs: a premise and what it entails. What contradicts the same premise is its
    hard negative; neutral rows are left out. Neither is ever a positive.

    Args:
        fit: the encoder, and how to train it.
        data: pairs, with negatives or without; NLI rows, pair labels or classes.
        scale: inverse temperature of the cosines.
        symmetric: also find the anchor from its positive (as CLIP does).
        negatives: besides the answers of the other rows. "hard": those that the data has, if any
            (of NLI rows the contradictions); "semi-hard": answers of other rows that the base
            model finds alike, but for those too near the right one; "easy": any answer of another
            row; "none": no others.
    """
    pairs = as_kind(fit, data, LOSSES["mnr"].kinds)
    if negatives != "hard":
        pairs = pairs.without("negative")
    if negatives == "easy":
        pairs = tell_new(fit, pairs, with_easy_negatives(pairs, seed=fit.options.seed))
    if negatives == "semi-hard":
        mined = semi_hard_negatives(TimedEmbed(fit.encoder), pairs, seed=fit.options.seed)
        pairs = tell_new(fit, pairs, mined)
    pairs = refuse_unfit(fit, pairs, LOSSES["mnr"], method="mnr")
    fit(pairs, objective_of(LOSSES["mnr"], scale=scale, symmetric=symmetric))
