"""What an evaluation answers: scores with intervals, and what a paired comparison needs."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Verdict = Literal["better", "no better", "worse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One metric with its 95 % interval over n items; its ends are NaN where there is none."""

    value: float
    low: float
    high: float
    n: int


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
        n: items evaluated.
        model: what was evaluated, for tables.
        data: fingerprint of the data set: only results on the same data can be compared.
        seed: of the draws.
        texts_per_second: distinct texts; None where nothing was embedded.
        pairs_per_second: for a model that scores pairs, as a cross-encoder does; else None.
        notes: what a reader should know of the numbers, such as that only a sample was measured.
        details: arrays that a report draws, such as the cosine of each pair.
    """

    task: str
    evaluator: str
    primary: str
    scores: dict[str, Score]
    draws: dict[str, NDArray[np.float64]]
    n: int
    model: str = ""
    data: str = ""
    seed: int = 0
    texts_per_second: float | None = None
    pairs_per_second: float | None = None
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
    """`model` minus `against` on one metric of one task, by paired bootstrap."""

    task: str
    metric: str
    model: str
    against: str
    value: float
    low: float
    high: float
    p_value: float


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
