"""Batch-hard triplets with a soft margin: the hardest triplets, without a margin to choose."""

import torch
import torch.nn.functional as F
from torch import Tensor

from likewise.losses.batch_triplets import BatchDistance, find_hardest


def batch_hard_soft(
    embeddings: Tensor, labels: Tensor, *, distance: BatchDistance = "euclidean"
) -> Tensor:
    """log(1 + exp(d(a, p) - d(a, n))) of each row's hardest triplet (Hermans et al. 2017).

    Args:
        embeddings: [B, D], any float dtype.
        labels: [B]; equal ones mean the same class. A row alone in its class only keeps away from
            its nearest neighbour.
        distance: "euclidean", or "cosine": 1 minus the cosine.

    Returns:
        [] float32 or wider, mean over rows; log(2) where all embeddings are equal.

    Raises:
        ValueError: the batch holds no triplet.

    >>> round(batch_hard_soft(torch.ones(4, 2), torch.tensor([0, 0, 1, 1])).exp().item(), 4)
    2.0
    """
    wide = torch.promote_types(embeddings.dtype, torch.float32)
    with torch.autocast(embeddings.device.type, enabled=False):
        farthest, nearest = find_hardest(
            embeddings.to(wide), labels, distance=distance, loss="batch_hard_soft"
        )
        return F.softplus(farthest - nearest).mean()
