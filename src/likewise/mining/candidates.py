"""Pairs worth a label: alike by a model, by their words, or at random (Thakur et al. 2021)."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from likewise.data.clusters import places_of, text_keys
from likewise.mining.lexical import search_bm25
from likewise.mining.neighbours import Pairs, Ranking, search_cosine
from likewise.mining.vectors import Embed, Encodes, TimedEmbed, checked_vectors

Gold: TypeAlias = Sequence[tuple[str, str]]

FEW = 8  # times as many pairs as are wanted: below that all are listed, above it they are drawn


def semantic_candidates(
    model: Encodes | Embed,
    texts: Sequence[str],
    others: Sequence[str] | None = None,
    *,
    top_k: int,
    exclude: Gold = (),
    limit: int | None = None,
) -> Pairs:
    """Each text with those that a model holds most similar.

    Args:
        model: an `Encoder`, or a bare `embed(texts, *, role) -> [n, D]`.
        texts: n of them; repeats (but for case, punctuation and white space) take part once.
        others: where the second text of a pair comes from; the texts themselves where None.
        top_k: neighbours of each text.
        exclude: pairs of texts that are labelled already, in either order.
        limit: keep so many pairs at most: first the nearest neighbour of every text, then the
            second ones, and of the last round a part spread evenly over the texts.

    Returns:
        [m, 2] int64 positions in `texts` and `others`, nearest neighbours first. No pair stands
        twice, in either order, and none is of one text with itself.
    """
    sides = _Sides(texts, others)
    embed = TimedEmbed(model)
    left = checked_vectors(embed, sides.left)
    right = left if others is None else checked_vectors(embed, sides.right)
    ranking = search_cosine(left, right, depth=top_k, skipped=sides.same)
    return sides.chosen(ranking, exclude, limit)


def bm25_candidates(
    texts: Sequence[str],
    others: Sequence[str] | None = None,
    *,
    top_k: int,
    exclude: Gold = (),
    limit: int | None = None,
) -> Pairs:
    """Each text with those that share most words with it, by BM25.

    Args:
        texts: as for `semantic_candidates`.
        others: likewise.
        top_k: neighbours of each text; fewer where fewer share a word.
        exclude: likewise.
        limit: likewise.

    Returns:
        [m, 2] int64, as `semantic_candidates`.
    """
    sides = _Sides(texts, others)
    ranking = search_bm25(sides.left, sides.right, depth=top_k, skipped=sides.same)
    return sides.chosen(ranking, exclude, limit)


def random_candidates(
    texts: Sequence[str],
    others: Sequence[str] | None = None,
    *,
    count: int,
    seed: int,
    exclude: Gold = (),
) -> Pairs:
    """Pairs drawn at random, every one alike.

    Args:
        texts: as for `semantic_candidates`.
        others: likewise.
        count: of pairs; fewer come back where there are no more.
        seed: of the draw.
        exclude: as for `semantic_candidates`.

    Returns:
        [m, 2] int64, in random order; otherwise as `semantic_candidates`.
    """
    sides = _Sides(texts, others)
    gold = sides.codes_of(exclude)
    rng = np.random.default_rng(seed)
    if sides.total <= FEW * (count + len(gold)):
        pairs = sides.numbered(rng.permutation(sides.total))
        return sides.positions(pairs[sides.may_pair(pairs, gold)][:count])
    numbers = np.empty(0, dtype=np.int64)
    while len(numbers) < count:  # more than half of all numbers are still to be had
        numbers = np.concatenate([numbers, rng.integers(0, sides.total, 2 * count)])
        numbers = numbers[np.sort(np.unique(numbers, return_index=True)[1])]
        numbers = numbers[sides.may_pair(sides.numbered(numbers), gold)]
    return sides.positions(sides.numbered(numbers[:count]))


def score_bins(
    scores: ArrayLike, bins: int = 5, *, low: float = 0.0, high: float = 1.0
) -> dict[str, int]:
    """How many scores fall in each part of their scale.

    Args:
        scores: [n]; one beyond the scale counts at its end.
        bins: parts of equal width; a score between two counts in the upper one.
        low: start of the scale.
        high: its end.

    Returns:
        Name of the part to a count, in order.

    >>> score_bins([0.1, 0.2, 0.9], bins=2)
    {'0 to 0.5': 2, '0.5 to 1': 1}
    """
    edges = np.linspace(low, high, bins + 1)
    counts, _ = np.histogram(np.clip(np.asarray(scores, np.float64), low, high), bins=edges)
    return {f"{a:g} to {b:g}": int(n) for (a, b), n in zip(pairwise(edges), counts, strict=True)}


class _Sides:
    """The distinct texts of both sides, and pairs of them as numbers."""

    def __init__(self, texts: Sequence[str], others: Sequence[str] | None) -> None:
        self._is_one = others is None
        self._left_keys, self._left = _distinct(texts)
        right = texts if others is None else others
        self._right_keys, self._right = (
            (self._left_keys, self._left) if others is None else _distinct(right)
        )
        self.left = [texts[i] for i in self._left.tolist()]
        self.right = [right[i] for i in self._right.tolist()]
        self.same = places_of(self._left_keys, self._right_keys)
        """[u] the text on the right that is the one on the left, or -1."""

    @property
    def total(self) -> int:
        """How many pairs there are, those of a text with itself on two sides too."""
        u, v = len(self.left), len(self.right)
        return u * (u - 1) // 2 if self._is_one else u * v

    def numbered(self, numbers: NDArray[np.int64]) -> Pairs:
        """[m, 2] the pairs that bear these numbers, from 0 to `total`."""
        if not self._is_one:
            return np.stack(np.divmod(numbers, max(1, len(self.right))), axis=1)
        # number j (j - 1) / 2 + i stands for i < j
        j = ((1 + np.sqrt(1 + 8 * numbers.astype(np.float64))) / 2).astype(np.int64)
        j -= j * (j - 1) // 2 > numbers
        j += j * (j + 1) // 2 <= numbers
        return np.stack([numbers - j * (j - 1) // 2, j], axis=1)

    def codes(self, pairs: Pairs) -> NDArray[np.int64]:
        """[m] a number that two pairs share if they are of the same texts, in either order.

        On two sides a text that stands on both is told by its place on the left.
        """
        width = len(self.left) + len(self.right)
        a, b = pairs[:, 0], self._one_place(pairs[:, 1])
        return np.asarray(np.minimum(a, b) * width + np.maximum(a, b), dtype=np.int64)

    def may_pair(self, pairs: Pairs, gold: NDArray[np.int64]) -> NDArray[np.bool_]:
        """[m] True for pairs of two texts that are not labelled, each in one of its two orders."""
        left, right = pairs[:, 0], pairs[:, 1]
        twice = (self.same[left] >= 0) & (self._one_place(right) < len(self.left))
        turned = twice & (left > self._one_place(right))
        may: NDArray[np.bool_] = (self.same[left] != right) & ~turned
        return may & ~np.isin(self.codes(pairs), gold)

    def _one_place(self, right: NDArray[np.int64]) -> NDArray[np.int64]:
        if self._is_one:
            return right
        twin = np.full(len(self.right), -1)
        known = self.same >= 0
        twin[self.same[known]] = np.flatnonzero(known)
        found: NDArray[np.int64] = np.where(twin[right] >= 0, twin[right], right + len(self.left))
        return found

    def codes_of(self, gold: Gold) -> NDArray[np.int64]:
        """Distinct codes of those labelled pairs whose texts stand here."""
        first, second = (text_keys(pair[side] for pair in gold) for side in (0, 1))
        found = []
        for a, b in ((first, second), (second, first)):
            sides = places_of(a, self._left_keys), places_of(b, self._right_keys)
            pairs = np.stack(sides, axis=1)
            found.append(self.codes(pairs[(pairs >= 0).all(axis=1)]))
        return np.unique(np.concatenate(found))

    def chosen(self, ranking: Ranking, gold: Gold, limit: int | None) -> Pairs:
        """The pairs of a ranking, nearest neighbours first, without repeats and gold."""
        ranks, rows = np.nonzero(ranking.positions.T >= 0)
        pairs = np.stack([rows, ranking.positions[rows, ranks]], axis=1).astype(np.int64)
        codes = self.codes(pairs)
        first = np.sort(np.unique(codes, return_index=True)[1])
        first = first[~np.isin(codes[first], self.codes_of(gold))]
        if limit is not None and len(first) > limit:
            first = first[_evenly(ranks[first], limit)]
        return self.positions(pairs[first])

    def positions(self, pairs: Pairs) -> Pairs:
        """Places among the distinct texts as positions in what was given."""
        return np.stack([self._left[pairs[:, 0]], self._right[pairs[:, 1]]], axis=1)


def _distinct(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Keys and positions of the first of equal texts, in order."""
    keys = text_keys(texts)
    first = np.sort(np.unique(keys, return_index=True)[1])
    return keys[first], first


def _evenly(ranks: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    """`limit` of them: whole ranks as far as they go, then a part of the next, evenly spaced."""
    last = int(ranks[limit])  # ranks do not decrease
    before, through = np.searchsorted(ranks, [last, last + 1])
    room = limit - before
    spaced = before + np.arange(room) * (through - before) // max(1, room)
    return np.concatenate([np.arange(before), spaced])
