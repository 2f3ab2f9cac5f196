"""Texts that are nearly the same: most of what they are written with is in both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likewise.data.clusters import normalise

WIDTH = 5  # bytes of a piece of text
BANDS, ROWS = 10, 4  # a pair that shares 0.8 of its pieces is met with a chance of 0.995
CHUNK = 1 << 18  # pieces hashed at a time: 2 MB, what a core keeps near
THRESHOLD = 0.8  # of the pieces of both texts together
_MASK = np.uint64((1 << 8 * WIDTH) - 1)
_SHIFT = np.uint64(32)
_DRAWN = np.random.default_rng(2026).integers(1 << 62, size=(2, BANDS, ROWS), dtype=np.uint64)
_FACTORS, _MIX = _DRAWN * np.uint64(2) + np.uint64(1)  # odd; the same in every process


@dataclass(frozen=True, slots=True, kw_only=True)
class NearPairs:
    """Pairs of texts that are nearly the same.

    Attributes:
        pairs: [m, 2] places, the left one ascending.
        shares: [m] of their pieces that both have, from the threshold to 1.
    """

    pairs: NDArray[np.int64]
    shares: NDArray[np.float64]


def near_duplicates(
    texts: Sequence[str], others: Sequence[str] | None = None, *, threshold: float = THRESHOLD
) -> NearPairs:
    """Texts that share most of their pieces with another one.

    A text is the set of all its runs of five bytes, once case, punctuation and white space are
    folded; two are nearly the same where the pieces that both have are many of those that either
    has (Jaccard). MinHash finds pairs that may be (Broder 1997), in ten bands of four (Leskovec et
    al. 2020, section 3.4); each is then counted exactly. Of texts that share 0.8 one pair in two
    hundred is missed; of those that share more, hardly any.

    Args:
        texts: n of them.
        others: m to look for them in; None for the texts themselves, each before it.
        threshold: share of the pieces, 0.7 or more; below it many pairs are missed.

    Returns:
        Of each text that has one, the other that is most like it (in `others`, or before it).
    """
    left = _Sketches(texts)
    right = left if others is None else _Sketches(others)
    best: dict[int, tuple[float, int]] = {}
    looked: set[tuple[int, int]] = set()
    for band in range(BANDS):
        for a, b in _met(left.bands[:, band], right.bands[:, band], is_same=others is None):
            if (a, b) in looked:
                continue
            looked.add((a, b))
            share = _share(left.pieces(a), right.pieces(b))
            if share >= threshold and (share, -b) > best.get(a, (0.0, 0)):
                best[a] = share, -b
    places = sorted(best)
    return NearPairs(
        pairs=np.array([(a, -best[a][1]) for a in places], dtype=np.int64).reshape(-1, 2),
        shares=np.array([best[a][0] for a in places], dtype=np.float64),
    )


class _Sketches:
    """The texts as bytes, and a few numbers of each that near ones are likely to share."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._bytes = [normalise(text).encode("utf-8", "surrogatepass") for text in texts]
        self.bands = np.empty((len(texts), BANDS), dtype=np.uint64)
        start, size = 0, 0
        for end, raw in enumerate(self._bytes, start=1):
            size += len(raw)
            if size >= CHUNK or end == len(self._bytes):
                self.bands[start:end] = _bands(self._bytes[start:end])
                start, size = end, 0

    def pieces(self, place: int) -> frozenset[bytes]:
        """All runs of five bytes of one text."""
        raw = self._bytes[place]
        return frozenset(raw[i : i + WIDTH] for i in range(max(len(raw) - WIDTH + 1, 1)))


def _bands(raws: list[bytes]) -> NDArray[np.uint64]:
    """[n, BANDS] a hash of the least hashes of each text's pieces, four to a band."""
    filled = [raw.ljust(WIDTH, b"\0") for raw in raws]
    lengths = np.array([len(raw) for raw in filled])
    joined = b"".join(filled)
    stream = np.frombuffer(joined + b"\0" * 8, dtype=np.uint8)
    windows = np.lib.stride_tricks.sliding_window_view(stream, 8)[: len(joined)]
    pieces = np.ascontiguousarray(windows).view(np.uint64).ravel() & _MASK
    ends = lengths.cumsum()
    inside = np.ones(len(joined), dtype=bool)  # pieces that reach over the end of a text are none
    for back in range(1, WIDTH):
        inside[ends - back] = False
    pieces = pieces[inside]
    starts = np.concatenate([[0], (lengths - WIDTH + 1).cumsum()[:-1]])
    pieces ^= pieces >> np.uint64(17)
    bands = np.zeros((len(raws), BANDS), dtype=np.uint64)
    for band, row in np.ndindex(BANDS, ROWS):
        hashed = (pieces * _FACTORS[band, row]) >> _SHIFT  # Dietzfelbinger et al. 1997
        least = np.minimum.reduceat(hashed, starts)
        bands[:, band] ^= (least + np.uint64(1)) * _MIX[band, row]
    return bands


def _met(
    left: NDArray[np.uint64], right: NDArray[np.uint64], *, is_same: bool
) -> Iterator[tuple[int, int]]:
    """Places of equal numbers; of one list with itself, each with the first before it."""
    order = np.argsort(right, kind="stable")
    ordered = right[order]
    first = np.searchsorted(ordered, left, side="left")
    past = np.searchsorted(ordered, left, side="right")
    if is_same:
        leader = order[first]
        for a in np.flatnonzero(leader != np.arange(len(left))).tolist():
            yield a, int(leader[a])
        return
    for a in np.flatnonzero(past > first).tolist():
        for b in order[first[a] : past[a]].tolist():
            yield a, b


def _share(left: frozenset[bytes], right: frozenset[bytes]) -> float:
    both = len(left & right)
    return both / (len(left) + len(right) - both)
