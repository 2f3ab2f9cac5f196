"""CoSENT: cosines in the order of the scores, whatever the scores' unit."""

import torch
import torch.nn.functional as F
from torch import Tensor

from likewise.losses.ranking import rank_pairs
from likewise.registry import Positive


def cosent(u: Tensor, v: Tensor, scores: Tensor, *, scale: Positive = 20.0) -> Tensor:
    """log(1 + sum of exp(scale (cos_j - cos_i))) over i scored above j (Huang et al. 2024).

    Args:
        u: [B, D], any float dtype and any length.
        v: [B, D]; row i pairs with row i of `u`.
        scores: [B], in any unit: only their order counts.
        scale: inverse temperature, multiplies the cosines.

    Returns:
        [] float32 or wider, in nats; log(1 + pairs of unequal scores) where all cosines are equal,
        zero where all scores are: such a batch teaches nothing.

    Raises:
        ValueError: there are no pairs.

    >>> same = torch.ones(2, 4)
    >>> round(cosent(same, same, torch.tensor([0.2, 0.8])).exp().item(), 4)
    2.0
    """
    if len(scores) == 0:
        raise ValueError("cosent needs one pair or more")
    wide = torch.promote_types(u.dtype, torch.float32)
    with torch.autocast(u.device.type, enabled=False):
        cosines = F.cosine_similarity(u.to(wide), v.to(wide), dim=-1)
        return rank_pairs(scale * cosines, scores)
