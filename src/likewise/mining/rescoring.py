"""Candidates read by a cross-encoder: ordered by it, and those that it holds for right told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from likewise.errors import InputError
from likewise.mining.draws import open_to
from likewise.mining.filters import Candidates, Verdict
from likewise.mining.options import MiningOptions
from likewise.mining.pool import Pool
from likewise.models.cross_encoder import CrossEncoder
from likewise.models.scores_file import score_pairs


def refuse_classes(cross: CrossEncoder, name: str) -> None:
    """Refuse a cross-encoder that answers classes where a score is needed.

    Args:
        cross: to be asked for scores.
        name: of it, for the error.

    Raises:
        InputError: it answers several numbers a pair.
    """
    if cross.classes != 1:
        problem = f"{name} answers {cross.classes} labels; a score is needed"
        raise InputError(problem, mend="name a cross-encoder that answers one number")


def rescore(
    candidates: Candidates,
    pool: Pool,
    cross: CrossEncoder,
    path: Path,
    options: MiningOptions,
    *,
    progress: bool = False,
) -> tuple[Candidates, NDArray[np.float32]]:
    """Score the open candidates of all rows, and their positives.

    Scores are the sigmoid of the model's logits, whatever its own activation: a half is as likely
    right as wrong. What scores `options.relevant` or more, or no less than the row's least
    relevant positive, is relevant.

    Args:
        candidates: [n, C] of all rows.
        pool: of the rows.
        cross: answers one number a pair.
        path: where the scores are kept.
        options: whether suspicious candidates are open, too.
        progress: show a bar.

    Returns:
        The same candidates with their relevance, the most relevant first; and [n] the lowest
        score of each row's positives.
    """
    n = len(pool.documents)
    row, column = np.nonzero(open_to(candidates, options))
    asked = np.concatenate(
        [
            pool.anchor[row] * n + candidates.places[row, column],
            pool.anchor[pool.positives[:, 0]] * n + pool.positives[:, 1],
        ]
    )
    distinct, inverse = np.unique(asked, return_inverse=True)
    pairs = [(pool.anchors[a], pool.documents[d]) for a, d in (divmod(c, n) for c in distinct)]
    found = score_pairs(
        cross,
        pairs,
        path,
        progress=progress,
        precision="auto" if options.precision == "int8" else options.precision,
        activation="sigmoid",
    )[inverse]
    starts = np.searchsorted(pool.positives[:, 0], np.arange(len(pool)))
    lowest: NDArray[np.float32] = np.minimum.reduceat(found[len(row) :], starts)
    relevance = candidates.relevance.copy()
    relevance[row, column] = found[: len(row)]
    scored = replace(candidates, relevance=relevance)
    is_right = (relevance >= options.relevant) | (relevance >= lowest[:, None])
    order = np.where(np.isnan(relevance), -np.inf, relevance).astype(np.float64)
    return scored.judged(is_right, Verdict.RELEVANT).ordered(order), lowest
