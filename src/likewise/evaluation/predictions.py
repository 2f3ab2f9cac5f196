"""From pairs to checked scores: whatever scores pairs is asked and not trusted blindly."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from likewise.errors import InputError, LikewiseError

Predict: TypeAlias = Callable[[list[tuple[str, str]]], NDArray[np.float32]]


@runtime_checkable
class ScoresPairs(Protocol):
    """What a `CrossEncoder` and its like have: `predict`."""

    @property
    def predict(self) -> Callable[..., NDArray[np.float32]]:
        """Pairs of texts to [n] float32, or to [n, K] where there are K classes."""


def checked_scores(predict: Predict, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
    """Score pairs, and refuse what is no score.

    Args:
        predict: what is evaluated; called once.
        pairs: n of them.

    Returns:
        [n] float64.

    Raises:
        InputError: the model answers several numbers a pair: classes, not a score.
        LikewiseError: not one score a pair, or one that is not finite; names the first pair.
    """
    found = _checked(predict, pairs)
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.ndim != 1:
        problem = f"the model answers {found.shape[1]} numbers a pair, and a score is one"
        raise InputError(problem, mend="measure it on NLI data, or another model on this data")
    return found


def checked_logits(
    predict: Predict, pairs: Sequence[tuple[str, str]], k: int
) -> NDArray[np.float64]:
    """[n, K] float64: a number a class, under the checks of `checked_scores`.

    Raises:
        InputError: the model has another number of classes.
    """
    found = _checked(predict, pairs)
    classes = found.shape[1] if found.ndim == 2 else 1
    if classes != k:
        problem = f"the model answers {classes} numbers a pair, and the data has {k} labels"
        raise InputError(problem, mend="measure a model that was trained on such labels")
    return found


class TimedPredict:
    """A model as a function of pairs that keeps the time.

    Attributes:
        labels: names of the classes, in the order of the numbers; none where nobody named them.
        pairs: how many were scored.
        seconds: how long that took.
    """

    def __init__(
        self, model: ScoresPairs, *, precision: str | None = None, progress: bool = False
    ) -> None:
        """Wrap a model that has `predict`; the options are handed to it where they are given."""
        self._model = model
        self._options: dict[str, Any] = {} if precision is None else {"precision": precision}
        if progress:
            self._options["progress"] = True
        self.labels: tuple[str, ...] = tuple(getattr(model, "labels", ()))
        self.pairs = 0
        self.seconds = 0.0

    def __call__(self, pairs: list[tuple[str, str]]) -> NDArray[np.float32]:
        """[n] or [n, K] float32, in the order of the pairs."""
        start = time.perf_counter()
        found = self._model.predict(pairs, **self._options)
        self.seconds += time.perf_counter() - start
        self.pairs += len(pairs)
        return np.asarray(found, dtype=np.float32)


def _checked(predict: Predict, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
    found = np.asarray(predict(list(pairs)), dtype=np.float64)
    if found.ndim not in {1, 2} or len(found) != len(pairs):
        raise LikewiseError(
            f"expected {len(pairs)} scores for as many pairs, found an array of shape "
            f"{found.shape}\nTo mend: predict(pairs) must answer [n], in the order of the pairs"
        )
    broken = np.flatnonzero(~np.isfinite(found.reshape(len(found), -1)).all(axis=1))
    if len(broken):
        left, right = (text[:60] for text in pairs[int(broken[0])])
        raise LikewiseError(
            f"{len(broken)} of {len(found)} scores are not finite (NaN or infinite), the first of "
            f'them for "{left}" and "{right}"\nTo mend: try --precision float32; if it stays, the '
            "weights are damaged"
        )
    return found
