"""Permutation tests: would two models differ as much if chance had dealt their scores?"""

import numpy as np
from numpy.typing import NDArray

from likewise.evaluation.measures import MEASURES
from likewise.evaluation.result import Items
from likewise.evaluation.statistics import CHUNK, RESAMPLES

SLACK = 1e-12  # of rounding: a swap that changes nothing is as far apart as what was found


def permutation_p(
    ours: Items, theirs: Items, *, permutations: int = RESAMPLES, seed: int = 0
) -> float:
    """Two-sided p-value of the difference of one metric, by swapping items between two models.

    If neither model is better, it is chance which of the two gave an item which score. So each
    item's two scores are swapped or not, at random, and both metrics are computed anew (Noreen
    1989, chapter 2; the idea is Fisher's, 1935, section 21). For a mean this flips the signs of
    the differences, as is done for rankings (Smucker, Allan and Carterette 2007); Dror et al.
    2018, section 3 recommend it for metrics of language processing. Before they are swapped, the
    scores are brought to one scale: ranks where only the order counts, standardised values for
    Pearson's correlation.

    Args:
        ours: of one model.
        theirs: of another, the same measure of the same items.
        permutations: random swaps; memory does not grow with them.
        seed: the same one gives the same swaps.

    Returns:
        From 1 / (permutations + 1) to 1: the share of swaps that are as far apart as what was
        found, which is counted among them, so that it is never 0.

    Raises:
        ValueError: they are not the same measure of the same items, or no swap is asked for.
    """
    if not can_swap(ours, theirs):
        raise ValueError("not the same measure of the same items: nothing can be swapped")
    if permutations < 1:
        raise ValueError(f"needs a permutation or more, not {permutations}")
    measure, n = MEASURES[ours.measure], len(ours.scores)
    both = np.concatenate([measure.to_scale(one.scores) for one in (ours, theirs)])
    statistic = measure.statistic(both, np.concatenate([ours.gold, theirs.gold]))

    def apart(kept: NDArray[np.int64]) -> NDArray[np.float64]:
        """[R] where `kept` [n, R] is 1 for each item whose scores stay where they were."""
        own = np.concatenate([kept, 1 - kept])  # [2n, R] which of all scores one model has
        return np.abs(statistic(own) - statistic(1 - own))

    found = float(apart(np.ones((n, 1), dtype=np.int64))[0])
    draw = np.random.default_rng(seed)
    width = max(1, CHUNK // (2 * n))
    as_far = 1
    for start in range(0, permutations, width):
        kept = draw.integers(0, 2, size=(n, min(width, permutations - start)))
        as_far += int(np.sum(apart(kept) >= found - SLACK))
    return as_far / (permutations + 1)


def can_swap(ours: Items, theirs: Items) -> bool:
    """Whether two models were held to the same gold, item by item, by the same measure."""
    return (
        ours.measure == theirs.measure
        and ours.scores.shape == theirs.scores.shape
        and np.array_equal(ours.gold, theirs.gold)
    )
