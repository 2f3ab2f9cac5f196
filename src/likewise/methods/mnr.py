"""Multiple-negatives ranking: pairs that belong together, everything else in the batch apart."""

from likewise.data.dataset import Dataset
from likewise.data.derive import nli_to_pairs
from likewise.losses import LOSSES
from likewise.training.fit import Fit
from likewise.training.objective import objective_of


def train_mnr(
    fit: Fit,
    data: Dataset,
    *,
    scale: float = 20.0,
    symmetric: bool = False,
    hard_negatives: bool = True,
) -> None:
    """Train with in-batch negatives (Henderson et al. 2017; SBERT's recipe for NLI).

    NLI rows become pairs: a premise and what it entails. What contradicts the same premise is its
    hard negative; neutral rows are left out. Neither is ever a positive.

    Args:
        fit: the encoder, and how to train it.
        data: pairs, with negatives or without; or NLI rows.
        scale: inverse temperature of the cosines.
        symmetric: also find the anchor from its positive (as CLIP does).
        hard_negatives: use the negatives that the data has.
    """
    pairs = nli_to_pairs(data, seed=fit.options.seed) if data.kind == "nli" else data
    if pairs is not data:
        for note in pairs.notes[len(data.notes) :]:
            if note.count:
                fit.note(str(note))
    if not hard_negatives:
        pairs = pairs.only("anchor", "positive")
    fit(pairs, objective_of(LOSSES["mnr"], scale=scale, symmetric=symmetric))
