"""EvaluatorSpec: an evaluator, the kinds of data it takes, and its plain baseline."""

from collections.abc import Callable
from dataclasses import dataclass

from likewise.evaluation.result import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatorSpec:
    """One entry of `EVALUATORS`.

    Attributes:
        function: `(embed, data, *, resamples, seed, …) -> Result`.
        kinds: of the data it takes; the first evaluator that takes a kind is chosen for it.
        baseline: `(data, *, resamples, seed) -> Result` without a model; None if there is none.
        baseline_shown: the baseline stands in tables unless it is turned off.
    """

    function: Callable[..., Result]
    kinds: tuple[str, ...]
    baseline: Callable[..., Result] | None = None
    baseline_shown: bool = False
