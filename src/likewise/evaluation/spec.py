"""EvaluatorSpec: an evaluator, the kinds of data it takes, and its plain baseline."""

from collections.abc import Callable
from dataclasses import dataclass

from likewise.evaluation.result import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatorSpec:
    """One entry of `EVALUATORS`.

    Attributes:
        kinds: of the data it takes; the first evaluator that takes a kind is chosen for it.
        function: `(embed, data, *, resamples, seed, …) -> Result`, for a model of texts; None if
            there is none. What else stands after the star is an option of this evaluator, which
            `evaluate` hands on; the other two take it too.
        pair_function: `(predict, data, *, resamples, seed, …) -> Result`, for a model that scores
            pairs of texts, as a cross-encoder does; None if there is none. Both measure the same
            metrics on the same items.
        baseline: `(data, *, resamples, seed) -> Result` without a model; None if there is none.
        baseline_shown: the baseline stands in tables unless it is turned off.
    """

    kinds: tuple[str, ...]
    function: Callable[..., Result] | None = None
    pair_function: Callable[..., Result] | None = None
    baseline: Callable[..., Result] | None = None
    baseline_shown: bool = False
