"""Batch-all triplets: every triplet that the labels of a batch allow."""

import torch
import torch.nn.functional as F
from torch import Tensor

from likewise.losses.batch_triplets import BatchDistance, relate_labels
from likewise.losses.distances import measure_all
from likewise.registry import NotNegative


def batch_all(
    embeddings: Tensor,
    labels: Tensor,
    *,
    margin: NotNegative = 5.0,
    distance: BatchDistance = "euclidean",
    soft_margin: bool = False,
) -> Tensor:
    """The triplet loss over all triplets of the batch (Hermans et al. 2017, eq. 6).

    Memory grows with the pairs of one label times B.

    Args:
        embeddings: [B, D], any float dtype.
        labels: [B]; equal ones mean the same class.
        margin: by how much a negative has to be farther, in the unit of the distance.
        distance: "euclidean", or "cosine": 1 minus the cosine.
        soft_margin: log(1 + exp(d(a, p) - d(a, n))) instead, which never stops pulling and has no
            margin.

    Returns:
        [] float32 or wider, in the unit of the distance, mean over the triplets that cost
        anything; zero where none does.

    Raises:
        ValueError: the batch holds no triplet.

    >>> batch_all(torch.ones(4, 2), torch.tensor([0, 0, 1, 1])).item()
    5.0
    """
    same, other = relate_labels(labels, loss="batch_all")
    wide = torch.promote_types(embeddings.dtype, torch.float32)
    with torch.autocast(embeddings.device.type, enabled=False):
        distances = measure_all(embeddings.to(wide), distance)
        anchors, positives = same.nonzero(as_tuple=True)  # [P] each
        gaps = distances[anchors, positives][:, None] - distances[anchors]  # [P, B]
        gaps = gaps[other[anchors]]
        losses = F.softplus(gaps) if soft_margin else F.relu(gaps + margin)
        return losses.sum() / (losses > 0).sum().clamp(min=1)
