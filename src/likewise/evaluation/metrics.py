"""Metrics as pure functions of arrays: correlations, and rankings against judgements.

Q queries, R ranks (best first), J judged documents. A query without a relevant document gets 0
everywhere, as trec_eval gives it.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def midranks(values: ArrayLike) -> NDArray[np.float64]:
    """Ranks from 1, equal values sharing the mean of theirs.

    Args:
        values: [n].

    Returns:
        [n] float64, summing to n (n + 1) / 2.

    >>> midranks([10, 30, 10]).tolist()
    [1.5, 3.0, 1.5]
    """
    array = np.asarray(values, dtype=np.float64)
    ordered = np.sort(array)
    below = np.searchsorted(ordered, array, side="left")
    return (below + np.searchsorted(ordered, array, side="right") + 1) / 2


def pearson(x: ArrayLike, y: ArrayLike) -> float:
    """Linear correlation (Pearson 1895).

    Args:
        x: [n] numbers, not all equal.
        y: [n] numbers, not all equal.

    Returns:
        From -1 to 1; 1 where y is x times something positive, plus anything.

    Raises:
        ValueError: lengths differ, there are fewer than two, or one side is constant.

    >>> pearson([1, 2, 3], [2, 4, 6])
    1.0
    """
    a, b = (np.asarray(side, dtype=np.float64) for side in (x, y))
    if a.shape != b.shape or a.ndim != 1 or len(a) < 2:
        raise ValueError(f"two sequences of one length, 2 or more, not {a.shape} and {b.shape}")
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        raise ValueError("one side is constant: no correlation exists")
    a, b = (side / np.abs(side).max() for side in (a - a.mean(), b - b.mean()))
    return float(np.clip((a @ b) / np.sqrt((a @ a) * (b @ b)), -1, 1))


def spearman(x: ArrayLike, y: ArrayLike) -> float:
    """Correlation of ranks, ties by midranks (Spearman 1904).

    Args:
        x: [n] numbers, not all equal.
        y: [n] numbers, not all equal.

    Returns:
        From -1 to 1; 1 where both sides order the items alike.

    Raises:
        ValueError: lengths differ, there are fewer than two, or one side is constant.

    >>> spearman([1, 2, 3], [10, 20, 1000])
    1.0
    """
    return pearson(midranks(x), midranks(y))


def ndcg_at_k(grades: ArrayLike, judged: ArrayLike, k: int) -> NDArray[np.float64]:
    """Normalised discounted cumulative gain: the gain is the grade, as in trec_eval.

    Args:
        grades: [..., R] grades of the ranked documents, best rank first; unjudged ones are 0.
        judged: [..., J] grades of all judged documents in any order, padded with 0.
        k: ranks that count.

    Returns:
        [...] float64 from 0 to 1; 1 where the best documents come first (Järvelin and
        Kekäläinen 2002, with the discount log2(rank + 1)).

    >>> ndcg_at_k([0, 1], [1, 0], 10).round(4).item()  # 1 / log2(3)
    0.6309
    """
    found = _gains(grades)[..., :k]
    ideal = -np.sort(-_gains(judged), axis=-1)[..., :k]
    best = ideal @ _discounts(ideal.shape[-1])
    return _share(found @ _discounts(found.shape[-1]), best)


def mrr_at_k(grades: ArrayLike, k: int) -> NDArray[np.float64]:
    """Reciprocal rank of the first relevant document, 0 where none is among the first k.

    Args:
        grades: [..., R] grades of the ranked documents, best rank first.
        k: ranks that count.

    Returns:
        [...] float64 from 0 to 1; averaged over queries it is the mean reciprocal rank.

    >>> mrr_at_k([[0, 1, 1], [0, 0, 0]], 10).tolist()
    [0.5, 0.0]
    """
    hits = _gains(grades)[..., :k] > 0
    reciprocal = hits / np.arange(1, hits.shape[-1] + 1)
    return np.asarray(reciprocal.max(axis=-1, initial=0.0), dtype=np.float64)


def recall_at_k(grades: ArrayLike, judged: ArrayLike, k: int) -> NDArray[np.float64]:
    """Share of the relevant documents that stand among the first k.

    Args:
        grades: [..., R] grades of the ranked documents, best rank first.
        judged: [..., J] grades of all judged documents, padded with 0.
        k: ranks that count.

    Returns:
        [...] float64 from 0 to 1.

    >>> recall_at_k([1, 0, 2], [1, 2, 1, 1], 3).item()
    0.5
    """
    hits = _gains(grades)[..., :k] > 0
    return _share(hits.sum(axis=-1), (_gains(judged) > 0).sum(axis=-1))


def precision_at_k(grades: ArrayLike, k: int) -> NDArray[np.float64]:
    """Share of the first k that is relevant; ranks that hold nothing count as not relevant.

    Args:
        grades: [..., R] grades of the ranked documents, best rank first.
        k: ranks that count.

    Returns:
        [...] float64 from 0 to 1.

    >>> precision_at_k([1, 0, 2], 2).item()
    0.5
    """
    return np.asarray((_gains(grades)[..., :k] > 0).sum(axis=-1) / k, dtype=np.float64)


def average_precision(
    grades: ArrayLike, judged: ArrayLike, k: int | None = None
) -> NDArray[np.float64]:
    """Precision at the rank of each relevant document, averaged over all relevant ones.

    Args:
        grades: [..., R] grades of the ranked documents, best rank first.
        judged: [..., J] grades of all judged documents, padded with 0.
        k: ranks that count, all of them where None (trec_eval's map and map_cut_k).

    Returns:
        [...] float64 from 0 to 1; averaged over queries it is the mean average precision.

    >>> average_precision([1, 0, 1], [1, 1]).round(4).item()  # (1/1 + 2/3) / 2
    0.8333
    """
    hits = _gains(grades)[..., :k] > 0
    precision = hits.cumsum(axis=-1) / np.arange(1, hits.shape[-1] + 1)
    return _share((precision * hits).sum(axis=-1), (_gains(judged) > 0).sum(axis=-1))


def _gains(grades: ArrayLike) -> NDArray[np.float64]:
    return np.maximum(np.asarray(grades, dtype=np.float64), 0)  # a negative grade gains nothing


def _discounts(n: int) -> NDArray[np.float64]:
    return 1 / np.log2(np.arange(2, n + 2))


def _share(part: ArrayLike, whole: ArrayLike) -> NDArray[np.float64]:
    above, below = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    share: NDArray[np.float64] = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    return share
