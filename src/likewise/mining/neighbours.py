"""Exact search in blocks: the best documents of each query in bounded memory."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likewise.mining.vectors import unit

QUERIES = 256  # a block of scores is QUERIES x DOCUMENTS float64: 16 MB
DOCUMENTS = 8192
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
    queries: NDArray[np.float32],
    documents: NDArray[np.float32],
    *,
    depth: int,
    skipped: NDArray[np.int64] | None = None,
) -> Ranking:
    """Rank all documents by cosine for every query, exactly.

    Args:
        queries: [Q, D].
        documents: [N, D].
        depth: R, how many to keep.
        skipped: [Q] position of a document that a query must not find, or -1.

    Returns:
        Ties go to the lower position, whatever the blocks are.
    """
    parts = [
        _search_block(
            unit(queries[start : start + QUERIES]),
            documents,
            depth,
            None if skipped is None else skipped[start : start + QUERIES],
        )
        for start in range(0, len(queries), QUERIES)
    ]
    return Ranking(
        positions=np.concatenate([part.positions for part in parts]),
        scores=np.concatenate([part.scores for part in parts]),
    )


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


def _search_block(
    queries: NDArray[np.float64],
    documents: NDArray[np.float32],
    depth: int,
    skipped: NDArray[np.int64] | None,
) -> Ranking:
    best = Ranking(
        positions=np.full((len(queries), 0), -1), scores=np.full((len(queries), 0), -np.inf)
    )
    for start in range(0, len(documents), DOCUMENTS):
        block = unit(documents[start : start + DOCUMENTS])
        cosines = (queries @ block.T).round(DECIMALS)  # [Q, C]
        if skipped is not None:
            inside = np.flatnonzero((skipped >= start) & (skipped < start + len(block)))
            cosines[inside, skipped[inside] - start] = -np.inf
        here = np.arange(start, start + len(block))
        best = best_first(
            np.concatenate([best.scores, cosines], axis=1),
            np.concatenate([best.positions, np.broadcast_to(here, cosines.shape)], axis=1),
            depth=depth,
        )
    return best


def _top_columns(scores: NDArray[np.float64], depth: int) -> NDArray[np.int64]:
    """[Q, depth] columns of the highest scores, in column order; ties at the end to the left."""
    chosen = np.argpartition(-scores, depth - 1, axis=1)[:, :depth]
    lowest = np.take_along_axis(scores, chosen, 1).min(axis=1, keepdims=True)
    for row in np.flatnonzero((scores >= lowest).sum(axis=1) > depth):  # a tie at the end
        chosen[row] = np.argsort(-scores[row], kind="stable")[:depth]
    return np.sort(chosen, axis=1)
