"""What an evaluation answers: scores with intervals, and what a paired comparison needs."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Verdict = Literal["better", "no better", "worse"]
# What of a result is no score: what it took, and how the vectors lie
PRICES = (
    "texts_per_second",
    "pairs_per_second",
    "tokens_per_second",
    "dimensions",
    "model_bytes",
    "geometry",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One metric with its 95 % interval over n items; its ends are NaN where there is none."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """What a model gave each item, and how one metric follows from it.

    Attributes:
        measure: name in `likewise.evaluation.measures.MEASURES`.
        scores: [n] a value, score or class each, in an order that does not depend on the model.
        gold: [n] what they are held to; empty for a mean.
    """

    measure: str
    scores: NDArray[np.float64]
    gold: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedSpread:
    """How far apart the runs lie whose mean a combined result is.

    Attributes:
        runs: of different seeds.
        error: standard error of their mean, from how much they differ.
        by_items: the part of it that is chance of items, which the draws know of too.
    """

    runs: int
    error: float
    by_items: float


@dataclass(frozen=True, kw_only=True)
class Result:
    """The scores of one model on one task.

    Attributes:
        task: name of the data set.
        evaluator: name in `EVALUATORS`.
        primary: the metric that leads.
        scores: metric to score with its interval.
        draws: metric to [R] bootstrap values. The same data, seed and R give the same resampled
            rows for every model, so that the difference of two models' draws is paired.
        items: metric to what it was measured from, for tests that swap the items of two models;
            a metric that follows from no items, such as those of clusters, is not there.
        seed_spreads: metric to how far apart the runs lie, for the mean of several seeds alone.
        n: items evaluated.
        model: what was evaluated, for tables.
        data: fingerprint of the data set: only results on the same data can be compared.
        seed: of the draws.
        texts_per_second: distinct texts; None where nothing was embedded.
        pairs_per_second: for a model that scores pairs, as a cross-encoder does; else None.
        tokens_per_second: where the model says what a token is.
        dimensions: of a vector; None where nothing was embedded.
        model_bytes: of the weights; None where they are not known.
        geometry: how the vectors lie, by name; see `measure_geometry`.
        notes: what a reader should know of the numbers, such as that only a sample was measured.
        details: arrays that a report draws, such as the cosine of each pair.
    """

    task: str
    evaluator: str
    primary: str
    scores: dict[str, Score]
    draws: dict[str, NDArray[np.float64]]
    n: int
    items: dict[str, Items] = field(default_factory=dict)
    seed_spreads: dict[str, SeedSpread] = field(default_factory=dict)
    model: str = ""
    data: str = ""
    seed: int = 0
    texts_per_second: float | None = None
    pairs_per_second: float | None = None
    tokens_per_second: float | None = None
    dimensions: int | None = None
    model_bytes: int | None = None
    geometry: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the primary metric."""
        return self.scores[self.primary].low, self.scores[self.primary].high

    def __getattr__(self, name: str) -> float:
        """A metric by its name: `result.spearman`."""
        scores = self.__dict__.get("scores", {})
        if name in scores:
            value: float = scores[name].value
            return value
        raise AttributeError(f"no metric {name!r}; there are {', '.join(scores)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`model` minus `against` on one metric of one task, over the same items.

    Attributes:
        value: the difference.
        low: lower end of its 95 % interval, by paired bootstrap.
        high: upper end.
        p_value: two-sided, by the same bootstrap.
        p_permutation: two-sided, by swapping the two models' items at random; None where that
            cannot be done.
        p_holm: corrected for all comparisons of the same table; None where it is the only one, or
            is not of a leading metric.
        detectable: the smallest true difference that a test set like this one shows in four of
            five cases; None where it is not known, as in files of older versions.
    """

    task: str
    metric: str
    model: str
    against: str
    value: float
    low: float
    high: float
    p_value: float
    p_permutation: float | None = None
    p_holm: float | None = None
    detectable: float | None = None


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Results of several models, their paired differences, and the verdict on the last model.

    Attributes:
        results: the last model's last.
        differences: paired.
        verdict: on the last model; None where there is nothing to judge by.
        general: base and trained model on sets that the training was not about: what it cost.
    """

    results: tuple[Result, ...]
    differences: tuple[Difference, ...] = ()
    verdict: Verdict | None = None
    general: "Evaluation | None" = None
