"""Online contrastive margin: the contrastive loss over the hard pairs of a batch alone."""

import torch
import torch.nn.functional as F
from torch import Tensor

from likewise.losses.contrastive_margin import check_labels
from likewise.losses.distances import Distance, measure_pairs
from likewise.registry import NotNegative


def online_contrastive(
    u: Tensor,
    v: Tensor,
    labels: Tensor,
    *,
    margin: NotNegative = 0.5,
    distance: Distance = "cosine",
) -> Tensor:
    """Sum of d² and max(0, margin - d)² over hard pairs (Hadsell et al. 2006, eq. 4).

    Hard are the equal pairs that are farther apart than the nearest of those that differ, and the
    pairs that differ but are nearer than the farthest equal ones. Where a batch has one sort only,
    hard is what lies beyond its mean (Reimers and Gurevych 2019, in their library).

    Args:
        u: [B, D], any float dtype.
        v: [B, D]; row i pairs with row i of `u`.
        labels: [B], 1 where a pair means the same, 0 where it does not.
        margin: how far apart pairs that differ have to be, in the unit of the distance.
        distance: "cosine" (1 minus the cosine), "euclidean" or "manhattan".

    Returns:
        [] float32 or wider, squared distance, sum over the hard pairs; zero where none is hard.

    Raises:
        ValueError: there are no pairs, or a label is neither 0 nor 1.

    >>> u, v = torch.eye(2), torch.eye(2).flip(0)
    >>> online_contrastive(u, torch.stack([u[0], v[1]]), torch.tensor([0, 1]), margin=0.5).item()
    1.25
    """
    check_labels(labels, loss="online_contrastive")
    wide = torch.promote_types(u.dtype, torch.float32)
    with torch.autocast(u.device.type, enabled=False):
        distances = measure_pairs(u.to(wide), v.to(wide), distance)
        near, far = distances[labels == 1], distances[labels == 0]
        hard_far = far[far < (near.max() if len(near) else far.mean())]
        hard_near = near[near > (far.min() if len(far) else near.mean())]
        return hard_near.square().sum() + F.relu(margin - hard_far).square().sum()
