"""Pair classification: do scores tell pairs that mean the same from those that do not?"""

import numpy as np
from numpy.typing import NDArray

from likewise.data.checks.labels import refuse_one_class
from likewise.data.dataset import Dataset
from likewise.evaluation.measures import items_of, score_items
from likewise.evaluation.predictions import Predict, checked_scores
from likewise.evaluation.result import Result
from likewise.evaluation.similarity import (
    FEWEST,
    cosines_of,
    notes_on_constant,
    pairs_of,
    refuse_few,
    row_order,
)
from likewise.evaluation.statistics import RESAMPLES
from likewise.evaluation.tasks import task_name
from likewise.evaluation.thresholds import Thresholds
from likewise.mining.neighbours import DECIMALS
from likewise.mining.vectors import Embed


def evaluate_pair_classification(
    embed: Embed, data: Dataset, *, resamples: int = RESAMPLES, seed: int = 0
) -> Result:
    """How well the cosine tells pairs labelled 1 from those labelled 0.

    Args:
        embed: texts to vectors [n, D]; called once.
        data: of kind "pair-labels".
        resamples: bootstrap draws of pairs behind the 95 % intervals.
        seed: of those draws; the point estimates do not depend on it.

    Returns:
        "average_precision" over all thresholds, which leads, and the best "f1" and "accuracy" of
        any threshold, all from 0 to 1; equal cosines fall on one side together. Details hold
        `cosines` and `gold` [n], the thresholds `f1_threshold` and `accuracy_threshold`, and
        `chance`, the average precision of a model that knows nothing: the share of pairs labelled
        1.

    Raises:
        InputError: fewer than ten pairs, or all have one label.
        LikewiseError: the vectors are not finite.
    """
    _refuse(data)
    cosines = cosines_of(embed, data)
    return score_labelled(cosines, data, name="cosines", resamples=resamples, seed=seed)


def predict_pair_labels(
    predict: Predict, data: Dataset, *, resamples: int = RESAMPLES, seed: int = 0
) -> Result:
    """The same for a model that scores pairs; details hold its `scores` in place of cosines.

    Args:
        predict: pairs to [n]; called once.
        data: as for `evaluate_pair_classification`.
        resamples: likewise.
        seed: likewise.

    Raises:
        InputError: as there, or the model answers several numbers a pair.
        LikewiseError: the scores are not finite.
    """
    _refuse(data)
    scores = checked_scores(predict, pairs_of(data))
    return score_labelled(scores, data, name="scores", resamples=resamples, seed=seed)


def score_labelled(
    scores: NDArray[np.float64],
    data: Dataset,
    *,
    name: str,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Result:
    """Given scores [n] against the labels, as `evaluate_pair_classification` does; `name` them."""
    scores = scores.round(DECIMALS)
    gold = data.numbers("label").astype(np.int64)
    order = row_order(data, "label")  # the draws, too, are blind to the order of the rows
    told = Thresholds(scores, gold)
    items = {
        measure: items_of(measure, scores[order], gold[order])
        for measure in ("average_precision", "f1", "accuracy")
    }
    found, draws = score_items(items, resamples=resamples, seed=seed)
    return Result(
        task=task_name(data),
        evaluator="pair-classification",
        primary="average_precision",
        scores=found,
        draws=draws,
        items=items,
        n=len(gold),
        data=data.fingerprint,
        seed=seed,
        notes=notes_on_constant(scores, name),
        details={
            name: scores,
            "gold": gold,
            "f1_threshold": told.best_f1,
            "accuracy_threshold": told.best_accuracy,
            "chance": float(gold.mean()),
        },
    )


def _refuse(data: Dataset) -> None:
    refuse_few(data, FEWEST, "labelled pairs")
    refuse_one_class(data)
