"""Exact search in blocks: the best documents of each query in bounded memory."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from likewise.mining.vectors import unit

Floats: TypeAlias = NDArray[np.floating[Any]]  # vectors as they come: float16 from a file, too
Pairs: TypeAlias = NDArray[np.int64]
Groups: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64]]

QUERIES = 512  # a block of scores is QUERIES x DOCUMENTS float32, 16 MB: bench/neighbours.py
DOCUMENTS = 8192
PAIRS = 8192  # cosines computed anew at a time
DENSE = 1 / 128  # share of a block above which one float64 product is faster than single cosines
DECIMALS = 10  # cosines that differ by less are equal: the order of a sum is not a reason to rank


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The best documents of each query, best first.

    Attributes:
        positions: [Q, R] int64 positions of documents; -1 where fewer were found.
        scores: [Q, R] float64, not increasing; -inf where fewer were found.
    """

    positions: NDArray[np.int64]
    scores: NDArray[np.float64]


def search_cosine(
    queries: Floats,
    documents: Floats,
    *,
    depth: int,
    skipped: Pairs | None = None,
    groups: Groups | None = None,
) -> Ranking:
    """Rank all documents by cosine for every query, exactly.

    A product in float32 finds the few documents that can be among the best, by the bound on its
    error; their cosines, and no others, are computed in float64.

    Args:
        queries: [Q, D].
        documents: [N, D].
        depth: R, how many to keep.
        skipped: what a query must not find: [Q] the position of a document, or -1; or [m, 2]
            pairs of a query and a document, in the order of the queries.
        groups: [Q] and [N]: a query does not find the documents of its own group.

    Returns:
        Ties go to the lower position, whatever the blocks are.
    """
    left_out = skipped_pairs(skipped)
    starts = range(0, len(queries), QUERIES)
    best = [_nothing(len(queries[start : start + QUERIES])) for start in starts]
    for first in range(0, len(documents), DOCUMENTS):
        block = unit(documents[first : first + DOCUMENTS])
        narrow = block.astype(np.float32)
        for i, start in enumerate(starts):
            some, here = slice(start, start + QUERIES), slice(first, first + DOCUMENTS)
            asked = unit(queries[some])
            rough = asked.astype(np.float32) @ narrow.T  # [Q, C]
            _leave_out(rough, part_of(left_out, some), first)
            if groups is not None:
                rough[groups[0][some, None] == groups[1][None, here]] = -np.inf
            best[i] = _merged(best[i], rough, asked, block, first=first, depth=depth)
    if not best:
        return _nothing(0, depth)
    best = [best_first(part.scores, part.positions, depth=depth) for part in best]
    return Ranking(
        positions=np.concatenate([part.positions for part in best]),
        scores=np.concatenate([part.scores for part in best]),
    )


def skipped_pairs(skipped: Pairs | None) -> Pairs:
    """What queries must not find as [m, 2] pairs, from any of the forms that a search takes.

    >>> skipped_pairs(np.array([3, -1, 0])).tolist()
    [[0, 3], [2, 0]]
    """
    if skipped is None:
        return np.empty((0, 2), dtype=np.int64)
    if skipped.ndim == 2:
        return skipped
    rows = np.flatnonzero(skipped >= 0)
    return np.stack([rows, skipped[rows]], axis=1)


def part_of(pairs: Pairs, rows: slice) -> Pairs:
    """The pairs of some queries, which are counted from the first of these.

    Args:
        pairs: [m, 2] in the order of the queries.
        rows: of queries.

    >>> part_of(np.array([[0, 3], [2, 0], [5, 1]]), slice(2, 4)).tolist()
    [[0, 0]]
    """
    low, high = np.searchsorted(pairs[:, 0], [rows.start, rows.stop])
    part: Pairs = pairs[low:high] - np.array([rows.start, 0])
    return part


def cosines_of(queries: Floats, documents: Floats, pairs: Pairs) -> NDArray[np.float64]:
    """The cosine of each pair, a part of them in memory at a time.

    Args:
        queries: [Q, D].
        documents: [N, D].
        pairs: [m, 2] positions in both.

    Returns:
        [m] float64, as exact as those of `search_cosine`.
    """
    found = np.empty(len(pairs))
    for start in range(0, len(pairs), PAIRS):
        some = pairs[start : start + PAIRS]
        sides = unit(queries[some[:, 0]]), unit(documents[some[:, 1]])
        found[start : start + PAIRS] = np.einsum("md,md->m", *sides)
    return found.round(DECIMALS)


def best_first(scores: NDArray[np.float64], positions: NDArray[np.int64], *, depth: int) -> Ranking:
    """The `depth` highest scores of each row, ties to the left; -inf is nothing at all.

    Args:
        scores: [Q, C].
        positions: [Q, C], or [C] for all rows: of the documents scored; increasing where equal
            scores are to be ordered by position.
        depth: R; rows with fewer candidates are filled up with -1.
    """
    n = scores.shape[1]
    positions = np.broadcast_to(positions, scores.shape)
    columns = (
        _top_columns(scores, depth) if n > depth else np.arange(n)[None].repeat(len(scores), 0)
    )
    order = np.argsort(-np.take_along_axis(scores, columns, 1), axis=1, kind="stable")
    columns = np.take_along_axis(columns, order, 1)
    found = np.take_along_axis(scores, columns, 1)
    places = np.where(np.isneginf(found), -1, np.take_along_axis(positions, columns, 1))
    gap = ((0, 0), (0, depth - found.shape[1]))
    return Ranking(
        positions=np.pad(places, gap, constant_values=-1),
        scores=np.pad(found, gap, constant_values=-np.inf),
    )


def _nothing(n: int, depth: int = 0) -> Ranking:
    return Ranking(positions=np.full((n, depth), -1), scores=np.full((n, depth), -np.inf))


def _leave_out(rough: NDArray[np.float32], skipped: Pairs, first: int) -> None:
    rows, columns = skipped[:, 0], skipped[:, 1] - first
    inside = (columns >= 0) & (columns < rough.shape[1])
    rough[rows[inside], columns[inside]] = -np.inf


def _merged(
    best: Ranking,
    rough: NDArray[np.float32],
    queries: NDArray[np.float64],
    block: NDArray[np.float64],
    *,
    first: int,
    depth: int,
) -> Ranking:
    """The best so far and those of a block of documents, whose float32 cosines are [Q, C]."""
    error = (queries.shape[1] + 4) * 2.0**-24 + 10.0**-DECIMALS  # of a float32 sum, of rounding
    is_full = best.scores.shape[1] == depth and np.isfinite(best.scores[:, -1]).all()
    worst = best.scores[:, -1] if is_full else _lowest(rough, depth) - error
    bound = np.maximum(worst - error, -2).astype(np.float32)  # -2: all but what is skipped
    possible = rough >= np.nextafter(bound, np.float32(-np.inf))[:, None]
    rows, columns = np.divmod(np.flatnonzero(possible), len(block))
    if len(rows) > DENSE * possible.size:
        cosines = np.where(possible, (queries @ block.T).round(DECIMALS), -np.inf)
        positions = np.broadcast_to(np.arange(first, first + len(block)), cosines.shape)
    else:
        cosines, positions = padded(
            _cosines(queries, block, rows, columns), columns + first, rows, len(queries)
        )
    return best_first(
        np.concatenate([best.scores, cosines], axis=1),
        np.concatenate([best.positions, positions], axis=1),
        depth=depth,
    )


def _lowest(rough: NDArray[np.float32], depth: int) -> NDArray[np.float64]:
    """[Q] the score of the last of the first `depth`; -inf where there are fewer."""
    if rough.shape[1] < depth:
        return np.full(len(rough), -np.inf)
    best = torch.from_numpy(rough).topk(depth, dim=1)  # five times as fast as NumPy's partition
    return np.asarray(best.values[:, -1], dtype=np.float64)


def _cosines(
    queries: NDArray[np.float64],
    documents: NDArray[np.float64],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> NDArray[np.float64]:
    """[m] of row i of the queries and column i of the documents, a part of them at a time."""
    found = np.empty(len(rows))
    for start in range(0, len(rows), PAIRS):
        some = slice(start, start + PAIRS)
        found[some] = np.einsum("md,md->m", queries[rows[some]], documents[columns[some]])
    return found.round(DECIMALS)


def padded(
    scores: NDArray[np.float64], positions: NDArray[np.int64], rows: NDArray[np.int64], n: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Scores and positions, given row by row, as rectangles with -inf and -1 behind.

    Args:
        scores: [m].
        positions: [m].
        rows: [m] ascending, from 0 to n - 1.
        n: rows.

    Returns:
        Both [n, most of a row].
    """
    counts = np.bincount(rows, minlength=n)
    place = np.arange(len(rows)) - (np.cumsum(counts) - counts)[rows]
    wide = np.full((n, int(counts.max(initial=0))), -np.inf)
    found = np.full(wide.shape, -1)
    wide[rows, place] = scores
    found[rows, place] = positions
    return wide, found


def _top_columns(scores: NDArray[np.float64], depth: int) -> NDArray[np.int64]:
    """[Q, depth] columns of the highest scores, in column order; ties at the end to the left."""
    chosen = np.argpartition(-scores, depth - 1, axis=1)[:, :depth]
    lowest = np.take_along_axis(scores, chosen, 1).min(axis=1, keepdims=True)
    for row in np.flatnonzero((scores >= lowest).sum(axis=1) > depth):  # a tie at the end
        chosen[row] = np.argsort(-scores[row], kind="stable")[:depth]
    return np.sort(chosen, axis=1)
