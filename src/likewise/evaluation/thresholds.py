"""Two classes told apart by a threshold on a score: every threshold at once.

Equal scores are never told apart: they fall on one side together.
"""

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from likewise.evaluation.statistics import Counts


class Thresholds:
    """Scores of n pairs with their labels; what is measured follows from how often a pair counts.

    Attributes:
        values: [G] the distinct scores, highest first: what is at or above one is called the same.
    """

    def __init__(self, scores: ArrayLike, labels: ArrayLike) -> None:
        """Sort the pairs by score.

        Args:
            scores: [n].
            labels: [n] 1 for the same, 0 for different.
        """
        found, self._labels = np.asarray(scores, np.float64), np.asarray(labels, np.int64)
        self._order = np.argsort(-found, kind="stable")
        ranked = found[self._order]
        self._last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
        self.values: NDArray[np.float64] = ranked[self._last]

    def average_precision(self, counts: Counts) -> NDArray[np.float64]:
        """Precision at each threshold, weighed by the recall that it adds, as scikit-learn has it.

        Args:
            counts: [n, R] how often each pair counts in each resample.

        Returns:
            [R], from 0 to 1; 0 where there is no pair of the same.
        """
        hits, called, same, _ = self._sums(counts)
        gained = np.diff(hits, axis=0, prepend=0.0)
        return _share((gained * _share(hits, called)).sum(axis=0), same)

    def f1(self, counts: Counts) -> NDArray[np.float64]:
        """[G, R] the F1 at each threshold: 2 hits / (called the same + the same)."""
        hits, called, same, _ = self._sums(counts)
        return _share(2 * hits, called + same)

    def accuracy(self, counts: Counts) -> NDArray[np.float64]:
        """[1 + G, R] the share of right calls, of calling none the same and at each threshold."""
        hits, called, same, total = self._sums(counts)
        right = np.concatenate([np.zeros_like(same)[None], 2 * hits - called])
        return _share(right + (total - same), np.broadcast_to(total, right.shape))

    @cached_property
    def best_f1(self) -> float:
        """The threshold of the best F1, halfway to the next lower score."""
        return self._halfway(int(self.f1(self._once).argmax()))

    @cached_property
    def best_accuracy(self) -> float:
        """The threshold of the best accuracy, likewise; above all scores where none is the same."""
        best = int(self.accuracy(self._once).argmax())
        return self._halfway(best - 1) if best else float(np.nextafter(self.values[0], np.inf))

    @property
    def _once(self) -> Counts:
        return np.ones((len(self._labels), 1), dtype=np.int64)

    def _sums(self, counts: Counts) -> tuple[NDArray[np.float64], ...]:
        """[G, R] right and all called the same at each threshold, [R] all the same, and all."""
        ranked = counts[self._order].astype(np.float64)
        called = ranked.cumsum(axis=0)
        hits = (ranked * self._labels[self._order, None]).cumsum(axis=0)
        return hits[self._last], called[self._last], hits[-1], called[-1]

    def _halfway(self, i: int) -> float:
        return float(self.values[i : i + 2].mean())


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    share: NDArray[np.float64] = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return share
