"""Cosine regression: scored pairs, the cosine of each pair as near to its score as may be."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from likewise.data.dataset import Dataset
from likewise.data.derive import nli_to_scored
from likewise.errors import InputError
from likewise.losses import LOSSES
from likewise.methods.conversions import as_kind, tell_new
from likewise.methods.refusals import refuse_unfit
from likewise.training.fit import Fit
from likewise.training.objective import objective_of

COSINES = (-1.0, 1.0)  # the range of targets that are used as they are


def train_cosine(
    fit: Fit[Any],
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
        data: scored pairs, NLI rows, or pairs labelled same (1) and different (0).
        entailment: the cosine to aim at for an entailed hypothesis, from -1 to 1.
        neutral: that of a neutral one.
        contradiction: that of a contradicting one.

    Raises:
        InputError: a target is no cosine, or all are equal.
    """
    if data.kind == "nli":
        targets = {"entailment": entailment, "neutral": neutral, "contradiction": contradiction}
        _refuse_targets(targets)
        scored = replace(nli_to_scored(data, targets=targets), score_range=COSINES)
        scored = tell_new(fit, data, scored)
    else:
        scored = as_kind(fit, data, ("scored",))
    scored = refuse_unfit(fit, scored, LOSSES["cosine"], method="cosine")
    fit(scored, objective_of(LOSSES["cosine"]))


def _refuse_targets(targets: Mapping[str, float]) -> None:
    for name, target in targets.items():
        if not -1 <= target <= 1:
            problem = f"{name} must be from -1 to 1, as cosines are, found {target}"
            raise InputError(problem, mend=f"change {name}")
    if len(set(targets.values())) == 1:
        problem = f"targets must differ, found {targets['entailment']:g} for every label"
        raise InputError(problem, mend="change one of them")
