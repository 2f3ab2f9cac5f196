"""Which of the candidates become negatives, and candidates that are drawn at random."""

import numpy as np
from numpy.typing import NDArray

from likewise.mining.filters import SUSPICIOUS, Candidates, Verdict
from likewise.mining.options import MiningOptions
from likewise.mining.pool import Pool

SPARE = 16  # drawn beyond four times what is wanted, as some will be refused


def open_to(candidates: Candidates, options: MiningOptions) -> NDArray[np.bool_]:
    """[b, C] where a candidate may be chosen: suspicious ones too, if they are kept."""
    good: tuple[Verdict, ...] = (Verdict.OPEN,)
    if options.suspicious == "keep":
        good = (*good, *SUSPICIOUS)
    return np.isin(candidates.verdicts, good)


def choose(candidates: Candidates, options: MiningOptions, rng: np.random.Generator) -> Candidates:
    """Choose among the candidates of each row.

    Weighted draws without replacement take the highest keys of log weight plus Gumbel noise (Kool
    et al. 2019, section 3).

    Args:
        candidates: of b rows, the best first.
        options: how, and how many: K.
        rng: draws.

    Returns:
        [b, K] or fewer, in the order of the candidates, nothing behind them.
    """
    is_open = open_to(candidates, options)
    count = min(options.negatives, is_open.shape[1])
    if options.draw == "top":
        return candidates.first(is_open, count)
    noise = rng.gumbel(size=is_open.shape)
    weights = np.zeros(is_open.shape)  # uniform
    if options.draw == "rank":
        weights = -np.log(np.cumsum(is_open, axis=1).clip(min=1))
    elif options.draw == "temperature":
        is_rescored = ~np.isnan(candidates.relevance)
        scores = np.where(is_rescored, candidates.relevance, candidates.scores)
        weights = np.where(is_open, scores, 0) / options.temperature
    keys = np.where(is_open, weights + noise, -np.inf)
    lowest = -np.sort(-keys, axis=1)[:, count - 1 : count]
    return candidates.first(is_open & (keys >= lowest), count)


def draw_at_random(
    rows: NDArray[np.int64], pool: Pool, options: MiningOptions, rng: np.random.Generator
) -> Candidates:
    """Documents for each row, any of those that are not known to be right for it.

    Args:
        rows: [b].
        pool: of all rows.
        options: how many are wanted.
        rng: draws.

    Returns:
        [b, C], without scores yet; no document stands twice in a row.
    """
    n, width = len(pool.documents), 4 * options.negatives + SPARE
    if n <= 4 * width:
        drawn = rng.permuted(np.tile(np.arange(n), (len(rows), 1)), axis=1)
    else:
        drawn = rng.integers(0, n, (len(rows), width))
        by_place = np.sort(drawn, axis=1)
        again = np.zeros(drawn.shape, dtype=bool)
        again[:, 1:] = by_place[:, 1:] == by_place[:, :-1]
        drawn = rng.permuted(np.where(again, -1, by_place), axis=1)
    known = pool.is_known(pool.anchor[rows][:, None], drawn)
    places = np.where(known, -1, drawn)
    return candidates_at(places, ranks=np.zeros(places.shape), sources=np.zeros(places.shape))


def candidates_at(
    places: NDArray[np.int64], *, ranks: NDArray[np.generic], sources: NDArray[np.generic]
) -> Candidates:
    """Candidates that nobody has judged and no cross-encoder scored; scores are NaN.

    Args:
        places: [b, C].
        ranks: [b, C].
        sources: [b, C].
    """
    return Candidates(
        places=places,
        ranks=ranks.astype(np.int64),
        sources=sources.astype(np.int64),
        scores=np.full(places.shape, np.nan),
        verdicts=np.zeros(places.shape, dtype=np.int8),
        relevance=np.full(places.shape, np.nan, dtype=np.float32),
    )
