"""Metrics that follow from what a model gave each item: value, interval, draws.

A table by name and not functions in a result, so that a result can lie in a file.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from likewise.evaluation.metrics import midranks
from likewise.evaluation.result import Items, Score
from likewise.evaluation.statistics import (
    RESAMPLES,
    Counts,
    Statistic,
    bootstrap,
    mean_of,
    pearson_of,
    score_statistics,
    spearman_of,
)
from likewise.evaluation.thresholds import Thresholds

Floats: TypeAlias = NDArray[np.float64]
Curve: TypeAlias = Callable[[Counts], Floats]

ELSEWHERE = 0.632  # weight of the items that were not drawn (Efron 1983)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One entry of `MEASURES`.

    Attributes:
        statistic: of scores [n] and gold [n].
        to_scale: brings the scores [n] of any model to one scale, and changes no value of the
            statistic: what two models give an item can then be swapped.
        curve: for a statistic that is the best of many thresholds: counts [n, R] to its value at
            each, [G, R].
    """

    statistic: Callable[[Floats, Floats], Statistic]
    to_scale: Callable[[Floats], Floats]
    curve: Callable[[Floats, Floats], Curve] | None = None


def items_of(measure: str, scores: ArrayLike, gold: ArrayLike = ()) -> Items:
    """What a model gave n items, and what it is held to, as arrays of float64.

    Args:
        measure: name in `MEASURES`.
        scores: [n].
        gold: [n]; nothing for a mean.
    """
    return Items(
        measure=measure,
        scores=np.asarray(scores, dtype=np.float64),
        gold=np.asarray(gold, dtype=np.float64),
    )


def score_items(
    items: Mapping[str, Items], *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[dict[str, Score], dict[str, Floats]]:
    """Each metric with its 95 % interval, and the draws behind it.

    Intervals are as in `score_statistics`. The best of many thresholds is chosen on the very items
    that it is measured on, and so is too high, and in a resample higher still. Its interval is
    that of the chosen threshold, with the middle moved to Efron's .632 estimate of what the best
    threshold is worth on new items (Efron 1983): 0.368 of the value, and 0.632 of the mean of
    thresholds chosen on the drawn items and measured on the others. The value itself stands in
    the upper half of such an interval.

    Args:
        items: by metric, of the same n items.
        resamples: bootstrap draws of items.
        seed: of those draws.
    """
    n = len(next(iter(items.values())).scores)
    plain = {}
    scores, draws = {}, {}
    for metric, one in items.items():
        curve = MEASURES[one.measure].curve
        if curve is None:
            plain[metric] = statistic_of(one)
            continue
        chosen = curve(one.scores, one.gold)
        scores[metric], draws[metric] = _score_best(chosen, n, resamples, seed)
    more_scores, more_draws = score_statistics(plain, n, resamples=resamples, seed=seed)
    scores |= more_scores
    draws |= more_draws
    return {metric: scores[metric] for metric in items}, {metric: draws[metric] for metric in items}


def statistic_of(items: Items) -> Statistic:
    """The metric as a statistic of how often each item counts."""
    return MEASURES[items.measure].statistic(items.scores, items.gold)


def macro_f1_of(predictions: ArrayLike, gold: ArrayLike) -> Statistic:
    """The mean over the labels of `gold` [n] of 2 right / (called so + being so)."""
    called_so, so = np.asarray(predictions), np.asarray(gold)
    labels = np.unique(so)
    called = (called_so == labels[:, None]).astype(np.float64)  # [K, n]
    is_so = (so == labels[:, None]).astype(np.float64)

    def statistic(counts: Counts) -> Floats:
        right = 2 * (called * is_so) @ counts  # [K, R]
        both = (called + is_so) @ counts
        f1 = np.divide(right, both, out=np.zeros_like(right), where=both > 0)
        mean: Floats = f1.mean(axis=0)
        return mean

    return statistic


def _score_best(curve: Curve, n: int, resamples: int, seed: int) -> tuple[Score, Floats]:
    """The best of a curve as `score_items` has it, and its draws [R], each the best of its own."""
    at_all = curve(np.ones((n, 1), dtype=np.int64))[:, 0]
    place, value = int(at_all.argmax()), float(at_all.max())

    def three(counts: Counts) -> Floats:
        drawn = curve(counts)
        others = curve((counts == 0).astype(np.int64))
        elsewhere = others[drawn.argmax(axis=0), np.arange(counts.shape[1])]
        return np.stack([drawn.max(axis=0), drawn[place], elsewhere], axis=1)

    best, chosen, elsewhere = bootstrap({"": three}, n, resamples=resamples, seed=seed)[""].T
    middle = (1 - ELSEWHERE) * value + ELSEWHERE * float(elsewhere.mean())
    missing = 1 - float(chosen.mean())  # stretched from 1 down: an interval cannot pass it
    stretch = (1 - middle) / missing if missing > 0 else 1.0
    low, high = (1 - (1 - float(end)) * stretch for end in np.percentile(chosen, [2.5, 97.5]))
    return Score(value=value, low=min(low, value), high=max(high, value), n=n), best


def _standardise(scores: Floats) -> Floats:
    spread = float(scores.std())
    centred: Floats = scores - scores.mean()
    return centred / spread if spread > 0 else centred


def _as_they_are(scores: Floats) -> Floats:
    return scores


def _mean(scores: Floats, _: Floats) -> Statistic:
    return mean_of(scores)


def _average_precision(scores: Floats, gold: Floats) -> Statistic:
    return Thresholds(scores, gold).average_precision


def _best(curve: Callable[[Floats, Floats], Curve], scores: Floats, gold: Floats) -> Statistic:
    at_each = curve(scores, gold)
    return lambda counts: at_each(counts).max(axis=0)


def _f1(scores: Floats, gold: Floats) -> Curve:
    return Thresholds(scores, gold).f1


def _accuracy(scores: Floats, gold: Floats) -> Curve:
    return Thresholds(scores, gold).accuracy


MEASURES = {
    "mean": Measure(statistic=_mean, to_scale=_as_they_are),
    "pearson": Measure(statistic=pearson_of, to_scale=_standardise),
    "spearman": Measure(statistic=spearman_of, to_scale=midranks),
    "average_precision": Measure(statistic=_average_precision, to_scale=midranks),
    "f1": Measure(statistic=partial(_best, _f1), to_scale=midranks, curve=_f1),
    "accuracy": Measure(statistic=partial(_best, _accuracy), to_scale=midranks, curve=_accuracy),
    "macro_f1": Measure(statistic=macro_f1_of, to_scale=_as_they_are),
}
