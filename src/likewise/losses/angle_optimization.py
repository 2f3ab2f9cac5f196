"""AnglE: the ranking of CoSENT on angles in the complex plane, where cosines no longer move."""

import torch
import torch.nn.functional as F
from torch import Tensor

from likewise.losses.ranking import rank_pairs
from likewise.registry import Positive


def angle(u: Tensor, v: Tensor, scores: Tensor, *, scale: Positive = 20.0) -> Tensor:
    """CoSENT's ranking with the angles of complex vectors (Li and Li 2024, angle objective).

    An embedding's first half is the real part of a complex vector and its second the imaginary
    one. This is the angle term alone; the paper adds it to a ranking of cosines and to InfoNCE.

    Args:
        u: [B, D], any float dtype and any length; an odd D is filled up with a zero.
        v: [B, D]; row i pairs with row i of `u`.
        scores: [B], in any unit: only their order counts.
        scale: inverse temperature, multiplies the similarities.

    Returns:
        [] float32 or wider, in nats; log(1 + pairs of unequal scores) where all pairs are alike,
        zero where all scores are: such a batch teaches nothing.

    Raises:
        ValueError: there are no pairs.

    >>> same = torch.ones(2, 4)
    >>> round(angle(same, same, torch.tensor([0.2, 0.8])).exp().item(), 4)
    2.0
    """
    if len(scores) == 0:
        raise ValueError("angle needs one pair or more")
    wide = torch.promote_types(u.dtype, torch.float32)
    with torch.autocast(u.device.type, enabled=False):
        (a, b), (c, d) = _complex(u.to(wide)), _complex(v.to(wide))
        # the real and the imaginary part of (a + bi)(c - di), summed over the dimensions
        real, imaginary = a * c + b * d, b * c - a * d
        return rank_pairs(scale * (real + imaginary).sum(dim=-1).abs(), scores)


def _complex(embeddings: Tensor) -> tuple[Tensor, ...]:
    """Real and imaginary parts [B, D / 2] of unit vectors."""
    even = F.pad(embeddings, (0, embeddings.shape[-1] % 2))
    return F.normalize(even, dim=-1).chunk(2, dim=-1)
