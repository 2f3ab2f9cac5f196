"""Batch-hard triplets: each row with its farthest positive and its nearest negative."""

import torch
import torch.nn.functional as F
from torch import Tensor

from likewise.losses.batch_triplets import BatchDistance, find_hardest
from likewise.registry import NotNegative


def batch_hard(
    embeddings: Tensor,
    labels: Tensor,
    *,
    margin: NotNegative = 5.0,
    distance: BatchDistance = "euclidean",
) -> Tensor:
    """The triplet loss of each row's hardest triplet (Hermans et al. 2017, eq. 5).

    Args:
        embeddings: [B, D], any float dtype.
        labels: [B]; equal ones mean the same class. A row alone in its class only keeps away from
            its nearest neighbour.
        margin: by how much a negative has to be farther, in the unit of the distance.
        distance: "euclidean", or "cosine": 1 minus the cosine.

    Returns:
        [] float32 or wider, in the unit of the distance, mean over rows; the margin where all
        embeddings are equal.

    Raises:
        ValueError: the batch holds no triplet.

    >>> batch_hard(torch.ones(4, 2), torch.tensor([0, 0, 1, 1])).item()
    5.0
    """
    wide = torch.promote_types(embeddings.dtype, torch.float32)
    with torch.autocast(embeddings.device.type, enabled=False):
        farthest, nearest = find_hardest(
            embeddings.to(wide), labels, distance=distance, loss="batch_hard"
        )
        return F.relu(farthest - nearest + margin).mean()
