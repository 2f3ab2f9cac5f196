"""Cosine regression: the cosine of a pair should equal its score."""

import torch
import torch.nn.functional as F
from torch import Tensor


def cosine(u: Tensor, v: Tensor, scores: Tensor) -> Tensor:
    """Mean squared error of cosines and scores (Reimers and Gurevych 2019, section 3).

    Args:
        u: [B, D], any float dtype and any length.
        v: [B, D]; row i pairs with row i of `u`.
        scores: [B], from -1 to 1, in the unit of a cosine: a score from 0 to 5 is divided by 5.

    Returns:
        [] float32 or wider, squared cosine units, mean over pairs; 1 for orthogonal pairs that
        should be equal.

    Raises:
        ValueError: there are no pairs, or a score is one that no cosine can reach.

    >>> cosine(torch.eye(2), torch.eye(2).flip(0), torch.ones(2)).item()
    1.0
    """
    if len(scores) == 0:
        raise ValueError("cosine needs one pair or more")
    if float(scores.abs().max()) > 1.0:
        raise ValueError("cosine needs scores from -1 to 1; divide them by the highest possible")
    wide = torch.promote_types(u.dtype, torch.float32)
    with torch.autocast(u.device.type, enabled=False):
        return F.mse_loss(F.cosine_similarity(u.to(wide), v.to(wide), dim=-1), scores.to(wide))
