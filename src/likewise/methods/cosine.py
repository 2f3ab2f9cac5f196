"""Cosine regression: scored pairs, the cosine of each pair as near to its score as may be."""

from likewise.data.dataset import Dataset
from likewise.data.derive import nli_to_scored
from likewise.losses import LOSSES
from likewise.training.fit import Fit
from likewise.training.objective import objective_of


def train_cosine(
    fit: Fit,
    data: Dataset,
    *,
    entailment: float = 1.0,
    neutral: float = 0.0,
    contradiction: float = 0.0,
) -> None:
    """Train the cosine of a pair towards its score (Reimers and Gurevych 2019, section 3).

    Scores are brought to 0 … 1 by the range of the data, or left as they are where that range is
    -1 … 1. NLI rows get a score by their label, as in "Hands-On Large Language Models",
    chapter 10.

    Args:
        fit: the encoder, and how to train it.
        data: scored pairs, or NLI rows.
        entailment: the score of an entailed hypothesis.
        neutral: the score of a neutral one.
        contradiction: the score of a contradicting one.
    """
    scored = data
    if data.kind == "nli":
        targets = {"entailment": entailment, "neutral": neutral, "contradiction": contradiction}
        scored = nli_to_scored(data, targets=targets)
        for note in scored.notes[len(data.notes) :]:
            fit.note(str(note))
    fit(scored, objective_of(LOSSES["cosine"]))
