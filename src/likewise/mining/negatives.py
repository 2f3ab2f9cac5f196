"""Hard negatives for pairs, found by a model and kept away from what may be right."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from likewise.data.clusters import cluster_ids
from likewise.data.dataset import Dataset, Note
from likewise.data.derive import with_negatives
from likewise.mining.neighbours import Ranking, search_cosine
from likewise.mining.vectors import Embed, Encodes, TimedEmbed, checked_vectors, unit

DEPTH = 100  # answers looked at for each row


@dataclass(frozen=True, kw_only=True)
class _Answers:
    """The distinct positives of all rows, and which rows have them."""

    texts: list[str]
    of_row: list[list[int]]
    """[n] the answers of each row."""
    right: list[set[int]]
    """[n] the answers of all rows with the same anchor, and the anchor itself."""
    groups: tuple[NDArray[np.int64], NDArray[np.int64]] | None
    """Of the rows and of the answers, where rows have them."""


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
    itself, or of the row's own group, is never taken. Of the rest, an answer nearer to the anchor
    than (1 - margin) of its positive's cosine is likely a right one that nobody wrote down, and is
    refused too: TopK-PercPos of NV-Retriever (Moreira et al. 2024), which found 95 % best.

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
    anchors = pairs.texts("anchor")
    answers = _answers(pairs)
    embed = TimedEmbed(model)
    asked = checked_vectors(embed, anchors, role="query")
    found = checked_vectors(embed, answers.texts, role="document")
    depth = min(max(DEPTH, skip + among), len(answers.texts))
    ranking = search_cosine(asked, found, depth=depth, groups=answers.groups)
    ceilings = _ceilings(asked, found, answers, margin)
    rng = np.random.default_rng(seed)
    negatives: list[list[str]] = []
    refused = 0
    for row in range(len(pairs)):
        wrong = _wrong(ranking, row, answers.right[row])
        below = [place for place, cosine in wrong if cosine < ceilings[row]]
        refused += len(wrong) - len(below)
        near = below[skip : skip + among]
        drawn = rng.permutation(len(near))[:count]
        negatives.append([answers.texts[near[i]] for i in np.sort(drawn).tolist()])
    return replace(
        with_negatives(pairs, negatives),
        notes=(*pairs.notes, *_notes(negatives, refused, margin)),
    )


def _answers(pairs: Dataset) -> _Answers:
    lists = pairs.text_lists("positive")
    flat = [text for row in lists for text in row]
    ids = cluster_ids([*flat, *pairs.texts("anchor")])
    first = np.unique(ids[: len(flat)], return_index=True)[1]
    anchors = ids[len(flat) :].tolist()
    ends = np.cumsum([len(row) for row in lists])
    of_row = [part.tolist() for part in np.split(ids[: len(flat)], ends[:-1])]
    right: dict[int, set[int]] = {}
    for anchor, own in zip(anchors, of_row, strict=True):
        right.setdefault(anchor, {anchor}).update(own)
    groups = None
    if "group" in pairs.roles:
        of_pair = pairs.numbers("group").astype(np.int64)
        rows = np.repeat(np.arange(len(lists)), [len(row) for row in lists])
        groups = of_pair, of_pair[rows[first]]
    return _Answers(
        texts=[flat[i] for i in first.tolist()],
        of_row=of_row,
        right=[right[anchor] for anchor in anchors],
        groups=groups,
    )


def _ceilings(
    asked: NDArray[np.float32], found: NDArray[np.float32], answers: _Answers, margin: float
) -> NDArray[np.float64]:
    """[n] cosines that a negative must stay below."""
    lowest = np.empty(len(asked))
    for row, own in enumerate(answers.of_row):
        lowest[row] = (unit(found[own]) @ unit(asked[row : row + 1])[0]).min()
    ceilings: NDArray[np.float64] = lowest - margin * np.abs(lowest)
    return ceilings


def _wrong(ranking: Ranking, row: int, right: set[int]) -> list[tuple[int, float]]:
    """Answers that are not right for a row, with their cosines, nearest first."""
    ranked = zip(ranking.positions[row].tolist(), ranking.scores[row].tolist(), strict=True)
    return [(place, cosine) for place, cosine in ranked if place >= 0 and place not in right]


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
