"""What a step takes its rows from: data of any shape, made ready for one model."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from likewise.data.dataset import Dataset
from likewise.errors import Where
from likewise.training.batch import Batch
from likewise.training.options import TrainingOptions
from likewise.training.sampling import Groups

Collate: TypeAlias = Callable[[NDArray[np.int64], int], Batch]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """n rows over M distinct texts.

    Attributes:
        rows: n.
        texts: M.
        row_tokens: about how many tokens a row brings to a step.
        collate: [B] rows and the step, from 0, to a batch; the same one each time it is asked.
        where: file and line of a row.
        cut: role to how many of its distinct texts lost their end at the length limit.
        groups: labels whose rows come together; None for an order that heeds nothing.
    """

    rows: int
    texts: int
    row_tokens: float
    collate: Collate
    where: Callable[[int], Where]
    cut: dict[str, int]
    groups: Groups | None = None

    def __post_init__(self) -> None:
        if self.rows < 1:
            raise ValueError("there is no row to train on")


# The model that will be trained, its rows and the options of the run; may refuse the rows
FeedOf: TypeAlias = Callable[[Any, Dataset, TrainingOptions], Feed]
