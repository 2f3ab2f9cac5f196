"""Texts that are equal once case, punctuation and white space are folded, found by hashing."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

PIECE_ROWS = 32_768

# Signs that tell one thing from another: C and C#, 5 and 5 %, R and R&D.
_KEPT = "#%&@"
_FOLDED = r""" !"'()*,-./:;?[\]_{}"""  # ASCII of the Unicode category P, less the signs kept
_ASCII = bytes(
    0x20 if byte < 0x20 or byte == 0x7F or chr(byte) in _FOLDED else ord(chr(byte).lower())
    for byte in range(128)
) + bytes(range(128, 256))
_SIGN = re.compile(r"[^\w\s]|_")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextKeys:
    """Hashes of the normalised texts of a column; equal in one process where the texts are.

    Attributes:
        keys: [m] one a text.
        rows: [m] the row that it stands in; a row may hold several texts, or none.
    """

    keys: NDArray[np.int64]
    rows: NDArray[np.int64]


def normalise(text: str) -> str:
    """The text in NFKC and lower case, with every run of punctuation and space as one space.

    A text of nothing but punctuation stays as it is.

    >>> normalise("Hello,  World!")
    'hello world'
    """
    return _normalised(text).decode("utf-8", "surrogatepass")


def text_keys(texts: Iterable[str]) -> NDArray[np.int64]:
    """One 64-bit hash a text, of its normalised form.

    They compare within one process only: Python salts its hashes.

    Args:
        texts: n of them.

    Returns:
        [n] int64.
    """
    return np.fromiter((hash(_normalised(text)) for text in texts), dtype=np.int64)


def cluster_ids(texts: Iterable[str]) -> NDArray[np.int64]:
    """Number the texts so that equal ones, after normalisation, share a number.

    Takes time in proportion to the texts, and no longer for many repeats.

    Args:
        texts: n of them.

    Returns:
        [n] int64, from 0 in order of first appearance.

    >>> cluster_ids(["One text.", "another", "one  TEXT"]).tolist()
    [0, 1, 0]
    """
    return dense_ids(text_keys(texts))


def dense_ids(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number distinct keys from 0 in order of first appearance.

    Args:
        keys: [n].

    Returns:
        [n] int64.

    >>> dense_ids(np.array([7, 3, 7])).tolist()
    [0, 1, 0]
    """
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    ids: NDArray[np.int64] = rank[inverse.reshape(-1)]
    return ids


def places_of(wanted: NDArray[np.int64], among: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each key stands among others.

    Args:
        wanted: [m].
        among: [n], all different.

    Returns:
        [m] int64; -1 for a key that is not there.

    >>> places_of(np.array([7, 5]), np.array([3, 7])).tolist()
    [1, -1]
    """
    if not len(among):
        return np.full(len(wanted), -1)
    order = np.argsort(among)
    at = np.searchsorted(among, wanted, sorter=order).clip(max=len(among) - 1)
    places: NDArray[np.int64] = np.where(among[order[at]] == wanted, order[at], -1)
    return places


def column_keys(column: pa.ChunkedArray, *, exact: bool = False) -> TextKeys:
    """Hash every text of a column, a piece of it in memory at a time.

    Args:
        column: of texts, or of lists of texts; nulls are passed over.
        exact: hash the text as it is, not its normalised form.
    """
    hashed = _exact_keys if exact else text_keys
    keys, rows, start = [], [], 0
    for piece in _pieces(column):
        flat, places = _flattened(piece)
        keys.append(hashed(flat.to_pylist()))
        rows.append(places + start)
        start += len(piece)
    if not keys:
        return TextKeys(keys=np.empty(0, np.int64), rows=np.empty(0, np.int64))
    return TextKeys(keys=np.concatenate(keys), rows=np.concatenate(rows))


def flat_texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The texts of a column in the order of `column_keys`: lists one after the other, no nulls.

    Args:
        column: of texts, or of lists of texts.
    """
    chunks = [_flattened(chunk)[0] for chunk in column.chunks]
    return pa.chunked_array(chunks, type=pa.large_string())


def _exact_keys(texts: Iterable[str]) -> NDArray[np.int64]:
    return np.fromiter(map(hash, texts), dtype=np.int64)


def _pieces(column: pa.ChunkedArray) -> Iterator[pa.Array]:
    for chunk in column.chunks:
        for start in range(0, len(chunk), PIECE_ROWS):
            yield chunk.slice(start, PIECE_ROWS)


def _flattened(piece: pa.Array) -> tuple[pa.Array, NDArray[np.int64]]:
    """Its texts, and the index of the row that each stands in."""
    import pyarrow.compute as pc

    if pa.types.is_list(piece.type) or pa.types.is_large_list(piece.type):
        return piece.flatten(), np.asarray(pc.list_parent_indices(piece), dtype=np.int64)
    return piece.drop_null(), np.flatnonzero(np.asarray(piece.is_valid()))


def _normalised(text: str) -> bytes:
    if text.isascii():
        folded = b" ".join(text.encode().translate(_ASCII).split())
        return folded or text.strip().encode()
    wide = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    joined = " ".join(_SIGN.sub(_fold, wide).split())
    return (joined or wide.strip()).encode("utf-8", "surrogatepass")


def _fold(match: re.Match[str]) -> str:
    sign = match[0]
    category = unicodedata.category(sign)
    if category == "Cf":  # joiners and soft hyphens: nothing to see
        return ""
    return " " if category[0] in "PZC" and sign not in _KEPT else sign
