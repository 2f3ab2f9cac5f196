"""How the vectors of a model lie in their space: spread out or in a cone, with hubs or without."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likewise.mining.vectors import unit

SAMPLE = 2000  # vectors; all pairs of them are looked at
FEWEST = 20
NEIGHBOURS = 10
TOP = 0.8  # of the scale: pairs scored above it count as positives, as SimCSE takes STS-B's over 4


def measure_geometry(
    vectors: NDArray[np.float32], details: Mapping[str, Any] | None = None, *, seed: int = 0
) -> dict[str, float]:
    """Numbers about vectors that no label is needed for, and one that needs pairs.

    Args:
        vectors: [n, D] of distinct texts; of more than 2,000 a sample is looked at.
        details: of a result, whose pairs that belong together give the alignment.
        seed: of the sample.

    Returns:
        Nothing of fewer than twenty vectors; else "uniformity": log of the mean of
        exp(-2 |x - y|²) over pairs of unit vectors, 0 where all are one, about -4 + 8 / D where
        they are spread evenly over a sphere of many dimensions (Wang and Isola 2020); "anisotropy":
        the mean cosine of two texts drawn at random, 0 where no direction is preferred (Ethayarajh
        2019); "hubness": skewness of how often a text is among the ten nearest of another, over 1
        where a few texts are near to everything (Radovanović et al. 2010). With pairs that belong
        together also "alignment": their mean |x - y|², 0 where each pair is one point (Wang and
        Isola 2020).
    """
    if len(vectors) < FEWEST:
        return {}
    chosen = np.sort(np.random.default_rng(seed).permutation(len(vectors))[:SAMPLE])
    points = unit(vectors[chosen])
    cosines = points @ points.T
    off_diagonal = cosines[~np.eye(len(points), dtype=bool)]
    found = {
        "uniformity": float(np.log(np.exp(-2 * _distances(off_diagonal)).mean())),
        "anisotropy": float(off_diagonal.mean()),
        "hubness": _hubness(cosines),
    }
    together = positive_cosines(details or {})
    return found if not len(together) else {"alignment": alignment(together), **found}


def alignment(cosines: NDArray[np.float64]) -> float:
    """Mean squared distance of unit vectors that belong together, from their cosines [n].

    >>> alignment(np.array([1.0, 0.5]))
    0.5
    """
    return float(_distances(cosines).mean())


def positive_cosines(details: Mapping[str, Any]) -> NDArray[np.float64]:
    """Cosines of the pairs of a result that belong together; none where it keeps none.

    Args:
        details: with `relevant_cosines`; or with `cosines` and their `gold` scores or labels, of
            which the top fifth of the scale counts.
    """
    if "relevant_cosines" in details:
        return np.asarray(details["relevant_cosines"], dtype=np.float64)
    if "cosines" not in details or "gold" not in details:
        return np.empty(0)
    gold = np.asarray(details["gold"], dtype=np.float64)
    low, high = float(gold.min()), float(gold.max())
    found = np.asarray(details["cosines"], dtype=np.float64)
    return found[gold >= low + TOP * (high - low)] if high > low else np.empty(0)


def _distances(cosines: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared, of unit vectors."""
    return np.asarray(2 - 2 * cosines, dtype=np.float64).clip(min=0.0)


def _hubness(cosines: NDArray[np.float64]) -> float:
    """Skewness of how often each of n is among the nearest of the others; 0 where all are alike."""
    own = cosines.copy()
    np.fill_diagonal(own, -np.inf)
    k = min(NEIGHBOURS, len(own) - 1)
    nearest = np.argpartition(-own, k - 1, axis=1)[:, :k]
    times = np.bincount(nearest.ravel(), minlength=len(own)).astype(np.float64)
    centred = times - times.mean()
    spread = float(np.sqrt((centred**2).mean()))
    return float((centred**3).mean() / spread**3) if spread > 0 else 0.0
