"""NLI classification: does a model of pairs tell what a hypothesis is to its premise?"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from likewise.data.checks.labels import refuse_one_class
from likewise.data.dataset import Dataset
from likewise.data.kinds.values import NLI_LABELS, place_nli_labels
from likewise.errors import InputError
from likewise.evaluation.measures import items_of, score_items
from likewise.evaluation.predictions import Predict, checked_logits
from likewise.evaluation.result import Result
from likewise.evaluation.similarity import FEWEST, pairs_of, refuse_few, row_order
from likewise.evaluation.statistics import RESAMPLES
from likewise.evaluation.tasks import task_name


def predict_nli(
    predict: Predict, data: Dataset, *, resamples: int = RESAMPLES, seed: int = 0
) -> Result:
    """How often the class with the highest number is the label.

    Args:
        predict: pairs to [n, 3], probabilities or logits; called once. Where it has `labels`, names
            of the classes, these say which is which; otherwise the order is that of the data.
        data: of kind "nli".
        resamples: bootstrap draws of rows behind the 95 % intervals.
        seed: of those draws.

    Returns:
        "accuracy", which leads, and "macro_f1", the mean F1 of the labels that the data has, from
        0 to 1. Details hold `predictions` and `gold` [n].

    Raises:
        InputError: fewer than ten rows, one label only, or a model of other classes.
        LikewiseError: the numbers are not finite.
    """
    _refuse(data)
    columns = _columns(getattr(predict, "labels", ()))
    logits = checked_logits(predict, pairs_of(data), len(NLI_LABELS))[:, columns]
    return score_classes(logits.argmax(axis=1), data, resamples=resamples, seed=seed)


def evaluate_majority(data: Dataset, *, resamples: int = RESAMPLES, seed: int = 0) -> Result:
    """The same for a model called "majority" that always answers the most frequent label."""
    _refuse(data)
    gold = data.numbers("label").astype(np.int64)
    most = np.full(len(gold), int(np.bincount(gold).argmax()))
    return score_classes(most, data, model="majority", resamples=resamples, seed=seed)


def score_classes(
    predictions: NDArray[np.int64],
    data: Dataset,
    *,
    model: str = "",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Result:
    """Given classes [n] against the labels, as `predict_nli` does."""
    gold = data.numbers("label").astype(np.int64)
    order = row_order(data, "label")  # the draws, too, are blind to the order of the rows
    items = {
        "accuracy": items_of("mean", (predictions == gold)[order]),
        "macro_f1": items_of("macro_f1", predictions[order], gold[order]),
    }
    scores, draws = score_items(items, resamples=resamples, seed=seed)
    return Result(
        task=task_name(data),
        evaluator="nli-classification",
        primary="accuracy",
        scores=scores,
        draws=draws,
        items=items,
        n=len(gold),
        model=model,
        data=data.fingerprint,
        seed=seed,
        details={"predictions": predictions, "gold": gold},
    )


def _columns(labels: Sequence[str]) -> list[int]:
    """The place of each of our labels among the model's."""
    columns = place_nli_labels(labels)
    if columns is None:
        problem = f"the model's classes are {', '.join(labels)}, not {', '.join(NLI_LABELS)}"
        raise InputError(problem, mend="measure a model that was trained on NLI data")
    return columns


def _refuse(data: Dataset) -> None:
    refuse_few(data, FEWEST, "rows")
    refuse_one_class(data)
