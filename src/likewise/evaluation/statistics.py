"""Bootstrap intervals, paired differences, and the verdict.

Items are drawn with replacement; a resample is how often each item was drawn. A statistic here
is a function of those counts, `[n, R] -> [R]`, so that thousands of resamples are a few matrix
operations and every metric, and every model, sees the same ones.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from likewise.evaluation.result import Difference, Result, Score, Verdict

RESAMPLES = 2000  # the ends of a 95 % interval then move by about a fortieth of its width
CHUNK = 2**17  # counts held at once, 1 MB: timed by bench/resampling.py

Counts: TypeAlias = NDArray[np.int64]
Statistic: TypeAlias = Callable[[Counts], NDArray[np.float64]]


def mean_of(values: ArrayLike) -> Statistic:
    """The mean of n values, such as one metric of each query."""
    array = np.asarray(values, dtype=np.float64)
    return lambda counts: array @ counts / len(array)


def pearson_of(x: ArrayLike, y: ArrayLike) -> Statistic:
    """Pearson's correlation of n pairs; 0 for a resample in which one side is constant."""
    a, b = (_standard(side) for side in (x, y))
    moments = np.stack([a, b, a * a, b * b, a * b])  # [5, n]

    def statistic(counts: Counts) -> NDArray[np.float64]:
        sa, sb, aa, bb, ab = moments @ counts / len(a)  # [R] each
        return _correlation(ab - sa * sb, aa - sa * sa, bb - sb * sb)

    return statistic


def spearman_of(x: ArrayLike, y: ArrayLike) -> Statistic:
    """Spearman's correlation of n pairs, ranked anew in every resample, ties by midranks.

    An item's midrank is the mean of how many drawn items stand below it and how many do not stand
    above it, plus a half: two look-ups in the running sum of the counts, in the order of x.
    0 for a resample in which one side is constant.
    """
    rank_x, rank_y = _resampled_ranks(x), _resampled_ranks(y)

    def statistic(counts: Counts) -> NDArray[np.float64]:
        a, b = rank_x(counts), rank_y(counts)  # [n, R] each
        drawn = counts.astype(np.float64)
        weighted_a = drawn * a
        drawn *= b
        return _correlation(_dot(weighted_a, b), _dot(weighted_a, a), _dot(drawn, b))

    return statistic


def bootstrap(
    statistics: Mapping[str, Statistic], n: int, *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, NDArray[np.float64]]:
    """Draw n of n items with replacement, again and again (Efron 1979).

    Memory stays bounded: only some of the resamples exist at a time.

    Args:
        statistics: by name; all of them see the same resamples.
        n: items.
        resamples: R.
        seed: the same n, R and seed give the same resamples.

    Returns:
        Name to [R] float64.

    Raises:
        ValueError: nothing to draw from, or no resample.
    """
    if n < 1 or resamples < 1:
        raise ValueError(f"needs an item and a resample or more, not {n} and {resamples}")
    draws: dict[str, list[NDArray[np.float64]]] = {name: [] for name in statistics}
    for counts in _resample_counts(n, resamples, seed):
        for name, statistic in statistics.items():
            draws[name].append(statistic(counts))
    return {name: np.concatenate(parts) for name, parts in draws.items()}


def score(value: float, draws: ArrayLike, n: int) -> Score:
    """A value with the 95 % percentile interval of its draws.

    Args:
        value: the metric on the items themselves; the interval is widened to hold it, where a
            skewed bootstrap would not.
        draws: [R] bootstrap values.
        n: items behind it.
    """
    low, high = np.percentile(np.asarray(draws, dtype=np.float64), [2.5, 97.5])
    return Score(value=value, low=min(float(low), value), high=max(float(high), value), n=n)


def score_statistics(
    statistics: Mapping[str, Statistic], n: int, *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[dict[str, Score], dict[str, NDArray[np.float64]]]:
    """Each statistic of n items as they are, with its interval, and the draws behind it.

    Args:
        statistics: by name.
        n: items.
        resamples: as in `bootstrap`.
        seed: likewise.
    """
    once = np.ones((n, 1), dtype=np.int64)
    draws = bootstrap(statistics, n, resamples=resamples, seed=seed)
    scores = {
        name: score(float(statistic(once)[0]), draws[name], n)
        for name, statistic in statistics.items()
    }
    return scores, draws


def paired_difference(result: Result, against: Result, metric: str) -> Difference:
    """`result` minus `against` on one metric, over the same resamples of the same items.

    The p-value is two-sided: twice the smaller share of resamples on either side of zero, each
    share with one more resample counted, so that it is never 0 (Davison and Hinkley 1997, 4.2).

    Raises:
        ValueError: the two were not drawn from the same items in the same way.
    """
    if (result.n, result.data, result.seed) != (against.n, against.data, against.seed):
        raise ValueError(f"{result.model} and {against.model} are not of the same data and seed")
    ours, theirs = result.draws[metric], against.draws[metric]
    if ours.shape != theirs.shape:
        raise ValueError(f"{len(ours)} and {len(theirs)} resamples cannot be paired")
    drawn = ours - theirs
    value = result.scores[metric].value - against.scores[metric].value
    interval = score(value, drawn, result.n)
    tails = (1 + np.sum(drawn <= 0), 1 + np.sum(drawn >= 0))
    return Difference(
        task=result.task,
        metric=metric,
        model=result.model,
        against=against.model,
        value=value,
        low=interval.low,
        high=interval.high,
        p_value=float(min(1.0, 2 * min(tails) / (len(drawn) + 1))),
    )


def verdict(difference: Difference) -> Verdict:
    """Better or worse only where the whole 95 % interval lies on one side of zero."""
    if difference.low > 0:
        return "better"
    return "worse" if difference.high < 0 else "no better"


def _resample_counts(n: int, resamples: int, seed: int) -> Iterator[Counts]:
    rng = np.random.default_rng(seed)
    width = max(1, CHUNK // n)
    for start in range(0, resamples, width):
        r = min(width, resamples - start)
        cells = rng.integers(0, n, size=(n, r))
        cells *= r
        cells += np.arange(r)  # cell of item i in resample j: i r + j
        yield np.bincount(cells.ravel(), minlength=n * r).reshape(n, r)


def _resampled_ranks(values: ArrayLike) -> Callable[[Counts], NDArray[np.float64]]:
    array = np.asarray(values, dtype=np.float64)
    order = np.argsort(array, kind="stable")
    below = np.searchsorted(array[order], array, side="left")
    through = np.searchsorted(array[order], array, side="right")

    def ranks(counts: Counts) -> NDArray[np.float64]:
        """[n, R]: twice each item's midrank less the mean midrank, exact whole numbers."""
        n, r = counts.shape
        running = np.zeros((n + 1, r))
        np.cumsum(counts[order], axis=0, out=running[1:])
        doubled = running[below]
        doubled += running[through]
        doubled -= n
        return doubled

    return ranks


def _standard(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    centred = array - array.mean()
    spread = float(np.abs(centred).max())
    scaled: NDArray[np.float64] = centred / (spread if spread > 0 else 1.0)
    return scaled


def _dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    summed: NDArray[np.float64] = np.einsum("nr,nr->r", a, b)
    return summed


def _correlation(
    ab: NDArray[np.float64], aa: NDArray[np.float64], bb: NDArray[np.float64]
) -> NDArray[np.float64]:
    varies = (aa > 1e-14) & (bb > 1e-14)
    product = np.sqrt(np.where(varies, aa * bb, 1.0))
    return np.clip(np.where(varies, ab / product, 0.0), -1, 1)
