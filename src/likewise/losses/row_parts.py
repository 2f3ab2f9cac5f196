"""A mean over rows that are compared with every candidate, in memory that does not grow with both.

The scores of 16,384 anchors and as many candidates are a gigabyte, and softmax, mask and gradient
are as much again each. Some rows at a time, computed once more on the way back, they are a few
dozen megabytes; the products that this takes twice are a hundredth of a step.
"""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from likewise.models.memory import give_back_memory

SCORES = 2**22  # in memory at a time: 17 MB of float32 for each tensor of their shape


def mean_over_rows(term: Callable[[slice], Tensor], *, rows: int, scores: int) -> Tensor:
    """The mean of the losses of all rows, part by part; all at once where they are few.

    Args:
        term: from some of the rows to the sum of their losses, a scalar. It is called again on
            the way back, and so draws nothing at random.
        rows: how many there are.
        scores: of one row.

    Returns:
        A scalar with a gradient to whatever `term` looks at.

    >>> values = torch.arange(4.0)
    >>> mean_over_rows(lambda part: values[part].sum(), rows=4, scores=2)
    tensor(1.5000)
    """
    height = max(1, SCORES // max(scores, 1))
    if height >= rows:
        return term(slice(0, rows)) / rows

    def trimmed(part: slice) -> Tensor:
        found = term(part)
        if found.device.type == "cpu":
            give_back_memory()  # on the way back too: the parts leave holes that add up
        return found

    parts = [
        cast(
            "Tensor",
            checkpoint(
                trimmed, slice(first, first + height), use_reentrant=False, preserve_rng_state=False
            ),
        )
        for first in range(0, rows, height)
    ]
    return torch.stack(parts).sum() / rows
