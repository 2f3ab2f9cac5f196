"""Triplet margin: an anchor is nearer to its positive than to its negative."""

import torch
import torch.nn.functional as F
from torch import Tensor

from likewise.losses.distances import Distance, measure_pairs
from likewise.registry import NotNegative


def triplet(
    anchors: Tensor,
    positives: Tensor,
    negatives: Tensor,
    *,
    margin: NotNegative = 5.0,
    distance: Distance = "euclidean",
    soft_margin: bool = False,
) -> Tensor:
    """max(0, d(a, p) - d(a, n) + margin) (Reimers and Gurevych 2019, section 3).

    Args:
        anchors: [B, D], any float dtype.
        positives: [B, D].
        negatives: [B, D]; row i belongs to anchor i.
        margin: by how much a negative has to be farther, in the unit of the distance: 5 suits
            euclidean distances of vectors of any length, cosines need less than 2.
        distance: "cosine" (1 minus the cosine), "euclidean" or "manhattan".
        soft_margin: log(1 + exp(d(a, p) - d(a, n))) instead, which never stops pulling and has no
            margin (Hermans et al. 2017, section 2).

    Returns:
        [] float32 or wider, in the unit of the distance, mean over triplets; the margin where
        both distances are equal.

    Raises:
        ValueError: there are no triplets.

    >>> triplet(torch.eye(2), torch.eye(2), torch.eye(2)).item()
    5.0
    """
    if len(anchors) == 0:
        raise ValueError("triplet needs one triplet or more")
    wide = torch.promote_types(anchors.dtype, torch.float32)
    with torch.autocast(anchors.device.type, enabled=False):
        rows = anchors.to(wide)
        gap = measure_pairs(rows, positives.to(wide), distance)
        gap = gap - measure_pairs(rows, negatives.to(wide), distance)
        return (F.softplus(gap) if soft_margin else F.relu(gap + margin)).mean()
