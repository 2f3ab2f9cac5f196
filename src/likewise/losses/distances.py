"""How far apart embeddings are: by pair, and all to all; gradients stay finite at distance zero."""

from typing import Literal, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

Distance: TypeAlias = Literal["cosine", "euclidean", "manhattan"]


def measure_pairs(u: Tensor, v: Tensor, distance: Distance) -> Tensor:
    """Distances of row i from row i.

    Args:
        u: [B, D].
        v: [B, D].
        distance: "cosine" (1 minus the cosine, 0 to 2), "euclidean" or "manhattan".

    Returns:
        [B], zero for equal rows, where the gradient is zero too.

    Raises:
        ValueError: a distance that is not among them.

    >>> measure_pairs(torch.eye(2), torch.zeros(2, 2), "euclidean").tolist()
    [1.0, 1.0]
    """
    if distance == "cosine":
        return 1 - F.cosine_similarity(u, v, dim=-1)
    distances: Tensor = torch.linalg.vector_norm(u - v, ord=_order(distance), dim=-1)
    return distances


def measure_all(embeddings: Tensor, distance: Distance) -> Tensor:
    """Distances of every row from every row.

    Euclidean distances come from differences, not from dot products: those lose all digits where
    rows are long and near to each other.

    Args:
        embeddings: [B, D].
        distance: as in `measure_pairs`.

    Returns:
        [B, B], symmetric.

    Raises:
        ValueError: a distance that is not among them.

    >>> measure_all(torch.eye(2), "cosine").tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    if distance == "cosine":
        unit = F.normalize(embeddings, dim=-1)
        return 1 - unit @ unit.T
    exact = "donot_use_mm_for_euclid_dist"
    return torch.cdist(embeddings, embeddings, p=_order(distance), compute_mode=exact)


def _order(distance: Distance) -> float:
    if distance == "euclidean":
        return 2.0
    if distance == "manhattan":
        return 1.0
    raise ValueError(f'there is no distance "{distance}"; one of: cosine, euclidean, manhattan')
