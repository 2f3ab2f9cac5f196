"""Which rows make a batch: a pure function of the seed and the step."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from likewise.training.seeding import generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Every row once an epoch, in another order each time.

    Attributes:
        n_rows: of the data.
        batch_size: rows a step; the last batch of an epoch has what is left.
        seed: of the orders.
        smallest: a last batch with fewer rows joins the one before it; 2 for contrastive losses,
            which have nothing to learn from one row.
    """

    n_rows: int
    batch_size: int
    seed: int
    smallest: int = 1

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
        order = _order(self.n_rows, self.seed, epoch)
        start = batch * self.batch_size
        last = batch == self.steps_per_epoch - 1
        return order[start:] if last else order[start : start + self.batch_size]


@lru_cache(maxsize=2)
def _order(n_rows: int, seed: int, epoch: int) -> NDArray[np.int64]:
    return generator(seed, "order", epoch).permutation(n_rows)
