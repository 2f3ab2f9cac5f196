"""Several runs that differ in their seed alone, as one result whose interval knows of both."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from likewise.evaluation.result import Result, Score, SeedSpread
from likewise.evaluation.statistics import score


def combine_seeds(results: Sequence[Result], *, seed: int = 0) -> Result:
    """The mean over training seeds, with an interval for items and seeds together.

    What the interval holds in 95 % of cases is the mean score of the method: over all items of
    this kind, and over all seeds that it could be trained with, not over these runs alone. To draw
    k seeds with replacement would not do: the variance of k drawn values is short by the factor
    (k - 1) / k, and from two runs such an interval holds the truth in three of four cases only.
    How the two chances are put together says `spread_over_seeds`.

    The draws are those of the items alone, so that differences from another model stay paired;
    `paired_difference` adds the seeds of both. The items themselves are not kept: a test that
    swaps them knows nothing of seeds.

    Args:
        results: of models that differ in the seed of their training, on the same data, one at
            least; one alone comes back as it is.
        seed: of the draws that stand for other seeds.

    Returns:
        A result under the first one's name; speeds and details are the first one's.

    Raises:
        ValueError: they are not of the same data, resamples and metrics.
    """
    first = results[0]
    if len(results) == 1:
        return first
    for other in results[1:]:
        same = (other.data, other.n, other.seed) == (first.data, first.n, first.seed)
        if not same or set(other.scores) != set(first.scores):
            raise ValueError(f"{other.model} and {first.model} are not of the same data and seed")
    scores, draws, spreads = {}, {}, {}
    for metric in first.scores:
        found = [result.scores[metric] for result in results]
        table = np.stack([result.draws[metric] for result in results])  # [k, R]
        draws[metric] = table.mean(axis=0)
        spreads[metric] = _spread(found, table)
        drawn = spread_over_seeds(draws[metric], [spreads[metric]], seed=seed)
        scores[metric] = _score(found, table, drawn)
    return replace(first, scores=scores, draws=draws, seed_spreads=spreads, items={})


def spread_over_seeds(
    draws: NDArray[np.float64], spreads: Sequence[SeedSpread], *, seed: int = 0
) -> NDArray[np.float64]:
    """Draws [R] of items, spread as far as other seeds would spread them too.

    The draws keep the variance of the items, less what of it shows in the differences of the runs
    already, and each gets the standard error of the mean over seeds times a draw of Student's t,
    as that error is known from few runs only. For two models the errors add up as variances do,
    and Welch (1947) has the degrees of freedom. Where the items weigh nothing this is the t-test
    over runs, where the runs agree the plain bootstrap over items; between them the sum is that
    of Behrens and Fisher (Fisher 1935), which is rather too wide than too narrow. Two runs that
    differ make it wide indeed: t with one degree of freedom reaches to 12.7.

    Args:
        draws: of one combined result, or the difference of two.
        spreads: of each of them.
        seed: of the draws that are added.
    """
    over_seeds = sum(spread.error**2 for spread in spreads)
    if over_seeds == 0:
        return draws
    middle, of_items = float(draws.mean()), float(draws.var())
    left = max(of_items - sum(spread.by_items**2 for spread in spreads), 0.0)
    freedom = over_seeds**2 / sum(spread.error**4 / (spread.runs - 1) for spread in spreads)
    t = np.random.default_rng(seed).standard_t(freedom, size=len(draws))
    shrunk = np.sqrt(left / of_items) if of_items > 0 else 0.0
    spread_out: NDArray[np.float64] = (draws - middle) * shrunk + np.sqrt(over_seeds) * t
    return middle + spread_out


def _spread(found: Sequence[Score], table: NDArray[np.float64]) -> SeedSpread:
    runs = len(found)
    own = table - table.mean(axis=1, keepdims=True)
    return SeedSpread(
        runs=runs,
        error=float(np.std([one.value for one in found], ddof=1) / np.sqrt(runs)),
        by_items=float(np.sqrt(own.var(axis=0, ddof=1).mean() / runs)),
    )


def _score(found: Sequence[Score], table: NDArray[np.float64], drawn: NDArray[np.float64]) -> Score:
    """The interval of the draws, its ends moved as those of the runs are from their own draws."""
    value, n = float(np.mean([one.value for one in found])), found[0].n
    plain = [score(one.value, row, n) for one, row in zip(found, table, strict=True)]
    whole = score(value, drawn, n)
    low = whole.low + _mean_gap([one.low for one in found], [one.low for one in plain])
    high = whole.high + _mean_gap([one.high for one in found], [one.high for one in plain])
    return Score(value=value, low=min(low, value), high=max(high, value), n=n)


def _mean_gap(a: Sequence[float], b: Sequence[float]) -> float:
    return float(np.mean(a) - np.mean(b))
