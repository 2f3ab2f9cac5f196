"""Several runs that differ in their seed alone, as one result whose interval knows of both."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from likewise.evaluation.result import Result
from likewise.evaluation.statistics import score


def combine_seeds(results: Sequence[Result], *, seed: int = 0) -> Result:
    """The mean over training seeds, with an interval over items and seeds together.

    In each resample of the items as many seeds are drawn with replacement as there are, and their
    values averaged (Davison and Hinkley 1997, section 3.8, levels of a hierarchy). Differences
    from another model stay paired by item.

    Args:
        results: of models that differ in the seed of their training, on the same data, one at
            least; one alone comes back as it is.
        seed: of the draws of seeds.

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
    draw = np.random.default_rng(seed)
    resamples = len(first.draws[first.primary])
    chosen = draw.integers(len(results), size=(len(results), resamples))
    columns = np.arange(resamples)
    scores, draws = {}, {}
    for metric in first.scores:
        table = np.stack([result.draws[metric] for result in results])  # [seeds, R]
        draws[metric] = table[chosen, columns].mean(axis=0)
        value = float(np.mean([result.scores[metric].value for result in results]))
        scores[metric] = score(value, draws[metric], first.n)
    return replace(first, scores=scores, draws=draws)
