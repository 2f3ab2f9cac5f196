"""Batch semi-hard triplets: each pair of a label with the nearest negative farther than it."""

import torch
import torch.nn.functional as F
from torch import Tensor

from likewise.losses.batch_triplets import BatchDistance, relate_labels
from likewise.losses.distances import measure_all
from likewise.registry import NotNegative


def batch_semi_hard(
    embeddings: Tensor,
    labels: Tensor,
    *,
    margin: NotNegative = 5.0,
    distance: BatchDistance = "euclidean",
    soft_margin: bool = False,
) -> Tensor:
    """The triplet loss of semi-hard triplets (Schroff et al. 2015, section 3.2).

    Each pair of one label takes the nearest negative that is farther than the positive is; where
    all are nearer, the farthest of them.

    Args:
        embeddings: [B, D], any float dtype.
        labels: [B]; equal ones mean the same class.
        margin: by how much a negative has to be farther, in the unit of the distance.
        distance: "euclidean", or "cosine": 1 minus the cosine.
        soft_margin: log(1 + exp(d(a, p) - d(a, n))) instead, which never stops pulling and has no
            margin.

    Returns:
        [] float32 or wider, in the unit of the distance, mean over the pairs of one label; the
        margin where all embeddings are equal.

    Raises:
        ValueError: the batch holds no triplet.

    >>> batch_semi_hard(torch.ones(4, 2), torch.tensor([0, 0, 1, 1])).item()
    5.0
    """
    same, other = relate_labels(labels, loss="batch_semi_hard")
    wide = torch.promote_types(embeddings.dtype, torch.float32)
    with torch.autocast(embeddings.device.type, enabled=False):
        distances = measure_all(embeddings.to(wide), distance)
        anchors, positives = same.nonzero(as_tuple=True)  # [P] each
        near = distances[anchors, positives]
        farther = other[anchors] & (distances[anchors] > near[:, None])  # [P, B]
        outside = distances[anchors].masked_fill(~farther, torch.inf).min(dim=1).values
        inside = distances.masked_fill(~other, -torch.inf).max(dim=1).values[anchors]
        gaps = near - torch.where(outside.isfinite(), outside, inside)
        return (F.softplus(gaps) if soft_margin else F.relu(gaps + margin)).mean()
