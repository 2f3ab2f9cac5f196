"""Several rankings of the same documents as one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from likewise.mining.neighbours import Ranking, best_first, padded

DAMPING = 60  # added to every rank (Cormack et al. 2009, section 3)
DECIMALS = 12  # the order in which weights are added is no reason to rank


def fuse(rankings: Sequence[Ranking], *, depth: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Reciprocal rank fusion (Cormack et al. 2009): the sum of 1 / (60 + rank), ranks from 1.

    Args:
        rankings: of the same Q queries, one or more.
        depth: R, documents of each query; at most as many as a single ranking has.

    Returns:
        [Q, R] positions of documents, best first, ties to the lower one, -1 behind them; and
        [Q, R] which rankings found each: the sum of 2^i over them.

    >>> one = Ranking(positions=np.array([[4, 7]]), scores=np.array([[0.9, 0.8]]))
    >>> two = Ranking(positions=np.array([[7, 5]]), scores=np.array([[3.0, 2.0]]))
    >>> [part.tolist() for part in fuse([one, two], depth=3)]
    [[[7, 4, 5]], [[3, 1, 2]]]
    """
    if len(rankings) == 1:
        positions = rankings[0].positions[:, :depth]
        return positions, (positions >= 0).astype(np.int64)
    rows, places, weights, flags = [], [], [], []
    for i, ranking in enumerate(rankings):
        row, rank = np.nonzero(ranking.positions >= 0)
        rows.append(row)
        places.append(ranking.positions[row, rank])
        weights.append(1 / (DAMPING + 1 + rank))
        flags.append(np.full(len(row), 2.0**i))
    width = 1 + max((int(part.max(initial=0)) for part in places), default=0)
    codes = np.concatenate(rows) * width + np.concatenate(places)
    distinct, inverse = np.unique(codes, return_inverse=True)
    weight, flag = (np.concatenate(part).astype(np.float64) for part in (weights, flags))
    total = np.bincount(inverse, weight, minlength=len(distinct)).astype(np.float64)
    found_by = np.bincount(inverse, flag, minlength=len(distinct)).astype(np.int64)
    n = len(rankings[0].positions)
    row, place = (part.astype(np.int64) for part in np.divmod(distinct, width))
    scores, wide_places = padded(total.round(DECIMALS), place, row, n)
    _, wide_flags = padded(total, found_by, row, n)
    columns = best_first(scores, np.arange(scores.shape[1]), depth=depth).positions
    nothing = np.full((n, 1), -1)  # so that there is a column to point at
    wide_places = np.concatenate([wide_places, nothing], axis=1)
    wide_flags = np.concatenate([wide_flags, nothing + 1], axis=1)
    return np.take_along_axis(wide_places, columns, 1), np.take_along_axis(wide_flags, columns, 1)
