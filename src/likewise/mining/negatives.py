"""Hard negatives for pairs, found by a model and kept away from what may be right."""

from dataclasses import replace

import numpy as np

from likewise.data.dataset import Dataset, Note
from likewise.data.derive import with_negatives
from likewise.mining.draws import candidates_at, choose
from likewise.mining.filters import SUSPICIOUS, Verdict, judge_candidates, judge_of
from likewise.mining.neighbours import search_cosine
from likewise.mining.options import MiningOptions
from likewise.mining.pool import pool_of
from likewise.mining.vectors import Embed, Encodes, TimedEmbed, checked_vectors

DEPTH = 100  # answers looked at for each row
ROWS = 2048  # whose candidates are judged at a time
NONE = 1.01  # no cosine is so high: only the margin decides


def semi_hard_negatives(
    model: Encodes | Embed,
    pairs: Dataset,
    *,
    count: int = 1,
    skip: int = 0,
    among: int = 10,
    margin: float = 0.05,
    seed: int,
) -> Dataset:
    """Give every pair answers of other rows that a model holds similar to its anchor.

    What is, but for case, punctuation and white space, an answer to the same anchor, the anchor
    itself, a negative that the row has, or of the row's own group, is never taken. Of the rest, an
    answer nearer to the anchor than (1 - margin) of its positive's cosine is likely a right one
    that nobody wrote down, and is refused too: TopK-PercPos of NV-Retriever (Moreira et al. 2024),
    which found 95 % best.

    Args:
        model: an `Encoder`, or a bare `embed(texts, *, role) -> [n, D]`.
        pairs: n rows.
        count: negatives of each row; a row may come out with fewer.
        skip: pass over so many of the most similar answers that are left.
        among: draw from so many of the next most similar; `count` always takes the nearest.
        margin: share of the positive's cosine that must lie between; 0 only keeps the order.
            Of several positives the least similar counts.
        seed: of the draw.

    Returns:
        Kind "pairs", the new negatives behind those that a row has; the notes count how many were
        found, refused, and not found.

    Raises:
        LikewiseError: the vectors are not finite.
        ValueError: a count below 1, or fewer to draw from.
    """
    if count < 1 or among < count or skip < 0:
        raise ValueError(f"1 <= count <= among, skip >= 0, not {count}, {among} and {skip}")
    pool = pool_of(pairs)
    embed = TimedEmbed(model)
    asked = checked_vectors(embed, pool.anchors, role="query")
    found = checked_vectors(embed, pool.documents, role="document")
    depth = min(max(DEPTH, skip + among), len(pool.documents))
    ranking = search_cosine(asked, found, depth=depth, skipped=pool.known, groups=pool.groups)
    judge = judge_of(asked, found, pool)
    options = MiningOptions(
        negatives=count, sampling="uniform", relative_margin=margin, near_duplicates=NONE
    )
    rng = np.random.default_rng(seed)
    negatives: list[list[str]] = []
    refused = 0
    for start in range(0, len(pool), ROWS):
        rows = np.arange(start, min(start + ROWS, len(pool)))
        places = ranking.positions[pool.anchor[rows]]
        near = candidates_at(places, ranks=places, sources=places)
        near = replace(near, scores=ranking.scores[pool.anchor[rows]])
        near = judge_candidates(near, rows, pool, [judge], options)
        refused += int(np.isin(near.verdicts, SUSPICIOUS).sum())
        near = near.first(near.verdicts == Verdict.OPEN, skip + among)
        passed = near.judged(np.arange(near.places.shape[1])[None] < skip, Verdict.LOW)
        drawn = choose(passed, options, rng).places.tolist()
        negatives += [[pool.documents[place] for place in row if place >= 0] for row in drawn]
    return replace(
        with_negatives(pairs, negatives),
        notes=(*pairs.notes, *_notes(negatives, refused, margin)),
    )


def _notes(negatives: list[list[str]], refused: int, margin: float) -> list[Note]:
    counted = (
        ("hard negatives found by similarity", sum(map(len, negatives))),
        (
            f"similar answers refused as likely right: within {margin:.0%} of the positive's "
            "cosine, or above it",
            refused,
        ),
        (f"pairs found none among the {DEPTH} most similar", sum(not row for row in negatives)),
    )
    return [Note(text=text, count=count) for text, count in counted if count]
