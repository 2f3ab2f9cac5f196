"""Contrastive margin: pairs of one meaning come together, others stay a margin apart."""

import torch
import torch.nn.functional as F
from torch import Tensor

from likewise.losses.distances import Distance, measure_pairs
from likewise.registry import NotNegative


def contrastive(
    u: Tensor,
    v: Tensor,
    labels: Tensor,
    *,
    margin: NotNegative = 0.5,
    distance: Distance = "cosine",
) -> Tensor:
    """Half of d² for equal pairs, of max(0, margin - d)² for others (Hadsell et al. 2006, eq. 4).

    Args:
        u: [B, D], any float dtype.
        v: [B, D]; row i pairs with row i of `u`.
        labels: [B], 1 where a pair means the same, 0 where it does not.
        margin: how far apart pairs that differ have to be, in the unit of the distance.
        distance: "cosine" (1 minus the cosine), "euclidean" or "manhattan".

    Returns:
        [] float32 or wider, squared distance, mean over pairs; half of margin² where equal
        embeddings should differ.

    Raises:
        ValueError: there are no pairs, or a label is neither 0 nor 1.

    >>> contrastive(torch.eye(2), torch.eye(2), torch.zeros(2), margin=1.0).item()
    0.5
    """
    check_labels(labels, loss="contrastive")
    wide = torch.promote_types(u.dtype, torch.float32)
    with torch.autocast(u.device.type, enabled=False):
        distances = measure_pairs(u.to(wide), v.to(wide), distance)
        apart = F.relu(margin - distances)
        return (torch.where(labels == 1, distances, apart).square() / 2).mean()


def check_labels(labels: Tensor, *, loss: str) -> None:
    """Refuse labels that do not say of each pair whether it means the same.

    Args:
        labels: [B].
        loss: the name of the function that asks, for the error.

    Raises:
        ValueError: there are none, or one is neither 0 nor 1.
    """
    if len(labels) == 0:
        raise ValueError(f"{loss} needs one pair or more")
    if bool(((labels != 0) & (labels != 1)).any()):
        raise ValueError(f"{loss} needs labels of 0 and 1; graded scores are for cosine or cosent")
