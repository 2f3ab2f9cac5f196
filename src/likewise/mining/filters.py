"""Which candidates may be negatives, and why the others may not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from likewise.mining.neighbours import Floats, Pairs, cosines_of
from likewise.mining.options import MiningOptions
from likewise.mining.pool import Pool


class Verdict(IntEnum):
    """What is thought of a candidate."""

    OPEN = 0
    NOTHING = 1
    OWN = 2
    REPEAT = 3
    LOW = 4
    HIGH = 5
    MARGIN = 6
    ABOVE = 7
    RELEVANT = 8


SUSPICIOUS = (Verdict.MARGIN, Verdict.ABOVE, Verdict.RELEVANT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Documents for each of b rows, C of them at the most, the best first.

    Attributes:
        places: [b, C] of documents; -1 is none.
        ranks: [b, C] in the ranking, from 1; 0 of what was drawn at random.
        sources: [b, C] the sum of 2^i over the rankings that found it; 0 of what was drawn.
        scores: [b, C] float64, the cosine of the first model.
        verdicts: [b, C] int8, of `Verdict`.
        relevance: [b, C] float32, by the cross-encoder; NaN where it was not asked.
    """

    places: NDArray[np.int64]
    ranks: NDArray[np.int64]
    sources: NDArray[np.int64]
    scores: NDArray[np.float64]
    verdicts: NDArray[np.int8]
    relevance: NDArray[np.float32]

    def take(self, columns: NDArray[np.int64]) -> "Candidates":
        """Some columns [b, K] of each row; -1 gives nothing."""
        wide = columns.clip(min=0)
        places = np.take_along_axis(self.places, wide, 1)
        verdicts = np.take_along_axis(self.verdicts, wide, 1)
        return Candidates(
            places=np.where(columns < 0, -1, places),
            ranks=np.take_along_axis(self.ranks, wide, 1),
            sources=np.take_along_axis(self.sources, wide, 1),
            scores=np.take_along_axis(self.scores, wide, 1),
            verdicts=np.where(columns < 0, Verdict.NOTHING, verdicts).astype(np.int8),
            relevance=np.take_along_axis(self.relevance, wide, 1),
        )

    def first(self, wanted: NDArray[np.bool_], count: int) -> "Candidates":
        """The first `count` of each row that are wanted [b, C], nothing behind them."""
        width = min(count, wanted.shape[1])
        columns = np.argsort(~wanted, axis=1, kind="stable")[:, :width]
        return self.take(np.where(np.take_along_axis(wanted, columns, 1), columns, -1))

    def ordered(self, keys: NDArray[np.float64]) -> "Candidates":
        """The same, the highest keys [b, C] first."""
        return self.take(np.argsort(-keys, axis=1, kind="stable"))

    def judged(self, wrong: NDArray[np.bool_], verdict: Verdict) -> "Candidates":
        """Those of them that are open and wrong [b, C] get a verdict."""
        now = np.where((self.verdicts == Verdict.OPEN) & wrong, verdict, self.verdicts)
        return replace(self, verdicts=now.astype(np.int8))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """What a model knows of all rows.

    Attributes:
        queries: [Q, D] vectors of the anchors.
        documents: [N, D].
        lowest: [n] cosine of each row with the least similar of its positives.
    """

    queries: Floats
    documents: Floats
    lowest: NDArray[np.float64]


def judge_of(queries: Floats, documents: Floats, pool: Pool) -> Judge:
    """Compute the cosines of all rows with their positives.

    Args:
        queries: [Q, D].
        documents: [N, D].
        pool: of the rows.
    """
    rows, places = pool.positives.T
    cosines = cosines_of(queries, documents, np.stack([pool.anchor[rows], places], axis=1))
    starts = np.searchsorted(rows, np.arange(len(pool)))
    return Judge(queries=queries, documents=documents, lowest=np.minimum.reduceat(cosines, starts))


def ceiling(lowest: NDArray[np.float64], options: MiningOptions) -> NDArray[np.float64]:
    """What a negative's cosine must stay below, by both margins.

    Args:
        lowest: cosines of positives.
        options: with the margins.
    """
    relative = lowest - options.relative_margin * np.abs(lowest)
    found: NDArray[np.float64] = np.minimum(relative, lowest - options.absolute_margin)
    return found


def judge_candidates(
    found: Candidates,
    rows: NDArray[np.int64],
    pool: Pool,
    judges: Sequence[Judge],
    options: MiningOptions,
) -> Candidates:
    """Say of every candidate whether it may be a negative; the first reason against it counts.

    Args:
        found: of b rows, with the scores of the first judge.
        rows: [b].
        pool: of all rows.
        judges: each must hold a negative far enough from the positive.
        options: with floor, ceiling and margins.
    """
    found = found.judged(found.places < 0, Verdict.NOTHING)
    found = found.judged(pool.is_own(rows[:, None], found.places), Verdict.OWN)
    if options.min_score is not None:
        found = found.judged(found.scores < options.min_score, Verdict.LOW)
    if options.max_score is not None:
        found = found.judged(found.scores >= options.max_score, Verdict.HIGH)
    found = found.judged(_repeats(found, rows, pool, judges[0], options), Verdict.REPEAT)
    scores = [found.scores, *(score_candidates(found, rows, pool, one) for one in judges[1:])]
    for one, cosines in zip(judges, scores, strict=True):
        found = found.judged(cosines >= one.lowest[rows, None], Verdict.ABOVE)
    for one, cosines in zip(judges, scores, strict=True):
        found = found.judged(cosines >= ceiling(one.lowest[rows, None], options), Verdict.MARGIN)
    return found


def score_candidates(
    found: Candidates, rows: NDArray[np.int64], pool: Pool, judge: Judge
) -> NDArray[np.float64]:
    """[b, C] the cosines that a model gives; -inf where there is no candidate."""
    scores = np.full(found.places.shape, -np.inf)
    row, column = np.nonzero(found.places >= 0)
    pairs = np.stack([pool.anchor[rows[row]], found.places[row, column]], axis=1)
    scores[row, column] = cosines_of(judge.queries, judge.documents, pairs)
    return scores


def _repeats(
    found: Candidates,
    rows: NDArray[np.int64],
    pool: Pool,
    judge: Judge,
    options: MiningOptions,
) -> NDArray[np.bool_]:
    """[b, C] where an open candidate nearly equals its anchor, or a right answer of it."""
    is_repeat: NDArray[np.bool_] = found.scores >= options.near_duplicates
    if options.near_duplicates > 1:
        return is_repeat
    row, column = np.nonzero((found.verdicts == Verdict.OPEN) & ~is_repeat)
    n = len(pool.documents)
    codes = pool.anchor[rows[row]] * n + found.places[row, column]
    distinct, inverse = np.unique(codes, return_inverse=True)  # rows may share an anchor
    pairs, of_code = _with_known(np.stack(np.divmod(distinct, n), axis=1), pool.known)
    near = cosines_of(judge.documents, judge.documents, pairs) >= options.near_duplicates
    is_near = np.zeros(len(distinct), dtype=bool)
    is_near[of_code[near]] = True
    is_repeat[row, column] = is_near[inverse]
    return is_repeat


def _with_known(asked: Pairs, known: Pairs) -> tuple[Pairs, NDArray[np.int64]]:
    """Each document [m, 2: anchor, document] with every right one of its anchor; and from which."""
    low, high = (np.searchsorted(known[:, 0], asked[:, 0], side=side) for side in ("left", "right"))
    counts = high - low
    of_code = np.repeat(np.arange(len(asked)), counts)
    within = np.arange(len(of_code)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.stack([asked[of_code, 1], known[low[of_code] + within, 1]], axis=1), of_code
