"""How alike two vectors are: by pair, and all to all; larger is always more alike."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from likewise.models.folder.contents import Similarity

Floats = NDArray[np.float32] | NDArray[np.float64]


def similarity(left: Floats, right: Floats, *, kind: Similarity = "cosine") -> Floats:
    """Compare every vector with every other one.

    Args:
        left: [n, D].
        right: [m, D].
        kind: "cosine" (-1 to 1), "dot", or the negative "euclidean" or "manhattan" distance.

    Returns:
        [n, m], in the dtype of `left`.

    >>> similarity(np.eye(2), np.eye(2)).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    if kind == "manhattan":
        return _negative_distances(left, right, "cityblock")
    if kind == "euclidean":
        return _negative_distances(left, right, "euclidean")
    if kind == "cosine":
        left, right = unit(left), unit(right)
    return left @ right.T


def similarity_by_pair(left: Floats, right: Floats, *, kind: Similarity = "cosine") -> Floats:
    """Compare row i with row i.

    Args:
        left: [n, D].
        right: [n, D].
        kind: as in `similarity`.

    Returns:
        [n], in the dtype of `left`.

    >>> similarity_by_pair(np.eye(2), 2 * np.eye(2), kind="euclidean").tolist()
    [-1.0, -1.0]
    """
    return _BY_PAIR[kind](left, right)


def unit(vectors: Floats) -> Floats:
    """[n, D] each scaled to length 1; a zero vector stays zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Floats = vectors / np.maximum(norms, 1e-12).astype(vectors.dtype)
    return scaled


def _negative_distances(
    left: Floats, right: Floats, metric: Literal["cityblock", "euclidean"]
) -> Floats:
    a, b = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    distances = -cdist(a, b, metric)
    return distances.astype(np.float32) if left.dtype == np.float32 else distances


_BY_PAIR: dict[str, Callable[[Floats, Floats], Floats]] = {
    "cosine": lambda left, right: (unit(left) * unit(right)).sum(axis=1),
    "dot": lambda left, right: (left * right).sum(axis=1),
    "euclidean": lambda left, right: -np.linalg.norm(left - right, axis=1),
    "manhattan": lambda left, right: -np.abs(left - right).sum(axis=1),
}
