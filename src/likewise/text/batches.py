"""Cut texts into batches by a token budget, texts of like length together."""

import numpy as np
from numpy.typing import NDArray


def batches_by_tokens(lengths: NDArray[np.int64], budget: int) -> list[NDArray[np.int64]]:
    """Batches of at most `budget` tokens, the longest texts first.

    The longest come first so that memory peaks, and fails if it must, at the start. A text that
    is over the budget alone is a batch by itself.

    Args:
        lengths: [n] tokens a text.
        budget: tokens a batch.

    Returns:
        Indices of the texts of each batch; together every index once.

    >>> [batch.tolist() for batch in batches_by_tokens(np.array([5, 2, 2, 9]), 9)]
    [[3], [0, 1, 2]]
    """
    order = np.argsort(-lengths, kind="stable")
    batches: list[NDArray[np.int64]] = []
    start, tokens = 0, 0
    for end, length in enumerate(lengths[order]):
        if end > start and tokens + length > budget:
            batches.append(order[start:end])
            start, tokens = end, 0
        tokens += int(length)
    if len(order):
        batches.append(order[start:])
    return batches
