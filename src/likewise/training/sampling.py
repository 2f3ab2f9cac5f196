"""Which rows make a batch: a pure function of the seed and the step."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from likewise.training.seeding import generator

TOGETHER = 4  # rows of one label that follow each other where batches are grouped, at the most


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """[n] the label of each row, and how many of a label come together: two at least."""

    labels: NDArray[np.int64]
    together: int = TOGETHER


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Every row once an epoch, in another order each time.

    Attributes:
        n_rows: of the data.
        batch_size: rows a step; the last batch of an epoch has what is left.
        seed: of the orders.
        smallest: a last batch with fewer rows joins the one before it; 2 for contrastive losses,
            which have nothing to learn from one row.
        groups: labels whose rows come a few together, in another way each time, the few of each
            label spread evenly, so that a batch has several rows of several labels wherever the
            labels allow it; None for an order that heeds nothing.
    """

    n_rows: int
    batch_size: int
    seed: int
    smallest: int = 1
    groups: Groups | None = None

    @property
    def steps_per_epoch(self) -> int:
        """Exact number of batches in an epoch."""
        full, rest = divmod(self.n_rows, self.batch_size)
        return max(full + (rest >= self.smallest), 1)

    def steps(self, epochs: float) -> int:
        """Exact number of batches in so many epochs."""
        return max(math.ceil(epochs * self.steps_per_epoch - 1e-9), 1)

    def rows(self, step: int) -> NDArray[np.int64]:
        """Row indices of the batch of `step`, counted from 0."""
        epoch, batch = divmod(step, self.steps_per_epoch)
        together = min(TOGETHER, max(self.batch_size // 2, 2))
        order = _order(self.n_rows, self.seed, epoch, self.groups, together)
        start = batch * self.batch_size
        last = batch == self.steps_per_epoch - 1
        return order[start:] if last else order[start : start + self.batch_size]


@lru_cache(maxsize=2)
def _order(
    n_rows: int, seed: int, epoch: int, groups: Groups | None, together: int
) -> NDArray[np.int64]:
    draw = generator(seed, "order", epoch)
    order = draw.permutation(n_rows)
    if groups is None:
        return order
    order = order[np.argsort(groups.labels[order], kind="stable")]
    labels = groups.labels[order]
    first = np.flatnonzero(np.r_[True, labels[1:] != labels[:-1]])
    sizes = np.diff(np.r_[first, n_rows])
    place = np.arange(n_rows) - np.repeat(first, sizes)  # of a row among those of its label
    # a rest of one row has no partner of its own: it joins the few before it
    most = np.maximum(-(-sizes // together) - (sizes % together == 1), 1)
    few = np.minimum(place // together, np.repeat(most, sizes) - 1)
    # the i-th of a label's m few falls somewhere in the i-th of m equal parts of the epoch
    start = np.cumsum(most) - most
    part = np.arange(most.sum()) - np.repeat(start, most)
    moment = (part + draw.random(len(part))) / np.repeat(most, most)
    rank = np.argsort(np.argsort(moment))
    spread: NDArray[np.int64] = order[
        np.argsort(rank[few + np.repeat(start, sizes)], kind="stable")
    ]
    return spread
