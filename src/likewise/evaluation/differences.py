"""Two models on the same items: their difference, how sure it is, and the verdict."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from likewise.evaluation.permutation import can_swap, permutation_p
from likewise.evaluation.result import Difference, Result, Verdict
from likewise.evaluation.seeds import spread_over_seeds
from likewise.evaluation.statistics import NORMAL, score

LEVEL = 0.05  # two-sided
POWER = 0.8
WIDTH = 2 * NORMAL.inv_cdf(1 - LEVEL / 2)  # of a 95 % interval, 3.92 standard errors


def paired_difference(result: Result, against: Result, metric: str) -> Difference:
    """`result` minus `against` on one metric, over the same resamples of the same items.

    The interval is that of the percentiles of the paired draws: what is biased or skewed in one
    model is so in the other, and cancels. The p-value of the bootstrap is twice the smaller share
    of resamples on either side of zero, each share with one more resample counted, so that it is
    never 0 (Davison and Hinkley 1997, 4.2). That of `permutation_p` is there where both results
    have their items. The detectable difference is 1.96 + 0.84 standard errors: a true one of that
    size is found at 5 %, two-sided, with a power of 80 % (Card et al. 2020). The standard error is
    read off the interval, which seeds with their heavy tails make wider (`combine_seeds`).

    Raises:
        ValueError: the two were not drawn from the same items in the same way.
    """
    if (result.n, result.data, result.seed) != (against.n, against.data, against.seed):
        raise ValueError(f"{result.model} and {against.model} are not of the same data and seed")
    ours, theirs = result.draws[metric], against.draws[metric]
    if ours.shape != theirs.shape:
        raise ValueError(f"{len(ours)} and {len(theirs)} resamples cannot be paired")
    of_both = (one.seed_spreads.get(metric) for one in (result, against))
    spreads = [spread for spread in of_both if spread is not None]
    drawn = spread_over_seeds(ours - theirs, spreads, seed=result.seed)
    value = result.scores[metric].value - against.scores[metric].value
    interval = score(value, drawn, result.n)
    tails = (1 + np.sum(drawn <= 0), 1 + np.sum(drawn >= 0))
    low, high = np.percentile(drawn, [50 * LEVEL, 100 - 50 * LEVEL])
    return Difference(
        task=result.task,
        metric=metric,
        model=result.model,
        against=against.model,
        value=value,
        low=interval.low,
        high=interval.high,
        p_value=float(min(1.0, 2 * min(tails) / (len(drawn) + 1))),
        p_permutation=_permuted(result, against, metric),
        detectable=float(high - low) * (0.5 + NORMAL.inv_cdf(POWER) / WIDTH),
    )


def correct_for_many(differences: Sequence[Difference]) -> list[Difference]:
    """The same with `p_holm`, over all of them as one family; one alone comes back as it is.

    The p-value that is corrected is that of the permutation test, of the bootstrap where there is
    none.
    """
    if len(differences) < 2:
        return list(differences)
    corrected = holm([_p(difference) for difference in differences])
    return [replace(d, p_holm=p) for d, p in zip(differences, corrected, strict=True)]


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values of which, if no hypothesis is true, any is below 5 % in 5 % of cases (Holm 1979).

    The smallest of m is multiplied by m, the next by m - 1, and so on; none is smaller than one
    before it, or larger than 1.

    >>> [round(p, 6) for p in holm([0.01, 0.04, 0.03, 0.005])]
    [0.03, 0.06, 0.06, 0.02]
    """
    order = np.argsort(p_values, kind="stable")
    m = len(order)
    scaled = np.asarray(p_values, dtype=np.float64)[order] * np.arange(m, 0, -1)
    corrected = np.empty(m)
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    found: list[float] = corrected.tolist()
    return found


def verdict(difference: Difference) -> Verdict:
    """Better or worse only where the whole 95 % interval lies on one side of zero.

    Among several comparisons of one table, only where the corrected p-value is below 5 % besides.
    """
    if difference.p_holm is not None and difference.p_holm >= LEVEL:
        return "no better"
    if difference.low > 0:
        return "better"
    return "worse" if difference.high < 0 else "no better"


def _permuted(result: Result, against: Result, metric: str) -> float | None:
    ours, theirs = result.items.get(metric), against.items.get(metric)
    if ours is None or theirs is None or not can_swap(ours, theirs):
        return None
    permutations = len(result.draws[metric])
    return permutation_p(ours, theirs, permutations=permutations, seed=result.seed)


def _p(difference: Difference) -> float:
    permuted = difference.p_permutation
    return difference.p_value if permuted is None else permuted
