"""Which rows make a batch: a pure function of the seed and the step."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from likewise.training.seeding import generator

TOGETHER = 4  # rows of one label that follow each other where batches are grouped


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """[n] the label of each row, for batches that need several rows of a label."""

    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Every row once an epoch, in another order each time.

    Attributes:
        n_rows: of the data.
        batch_size: rows a step; the last batch of an epoch has what is left.
        seed: of the orders.
        smallest: a last batch with fewer rows joins the one before it; 2 for contrastive losses,
            which have nothing to learn from one row.
        groups: labels whose rows come a few together, in another way each time; None for an
            order that heeds nothing.
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
        order = _order(self.n_rows, self.seed, epoch, self.groups)
        start = batch * self.batch_size
        last = batch == self.steps_per_epoch - 1
        return order[start:] if last else order[start : start + self.batch_size]


@lru_cache(maxsize=2)
def _order(n_rows: int, seed: int, epoch: int, groups: Groups | None) -> NDArray[np.int64]:
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
    most = np.maximum(-(-sizes // TOGETHER) - (sizes % TOGETHER == 1), 1)
    few = np.minimum(place // TOGETHER, np.repeat(most, sizes) - 1)
    few += np.repeat(np.cumsum(most) - most, sizes)
    shuffled: NDArray[np.int64] = order[
        np.argsort(draw.permutation(int(most.sum()))[few], kind="stable")
    ]
    return shuffled
