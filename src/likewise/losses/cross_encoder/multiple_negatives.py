"""Multiple-negatives ranking: each query picks its positive among its candidates."""

import torch
import torch.nn.functional as F
from torch import Tensor

from likewise.registry import Positive


def ranking_softmax(
    logits: Tensor,
    mask: Tensor | None = None,
    *,
    scale: Positive = 10.0,
    through_sigmoid: bool = True,
) -> Tensor:
    """Localised contrastive loss (Gao et al. 2021; InfoNCE, van den Oord et al. 2018, eq. 4).

    -mean(log softmax(scale * sigmoid(logits))[0]): the positive stands in column 0. Through the
    sigmoid a pair that is told apart clearly teaches no more.

    Args:
        logits: [Q, C], any float dtype; column 0 is the positive, the rest are negatives.
        mask: [Q, C] bool, True where there is a candidate; all of them where it is None.
        scale: inverse temperature, multiplies what is compared.
        through_sigmoid: compare sigmoid(logit), not the logit itself.

    Returns:
        [] float32 or wider, in nats, mean over queries; log(C) where all logits are equal.

    Raises:
        ValueError: no query has a negative, and so there is nothing to learn; a query has no
            positive; or the scale is not positive.

    >>> loss = ranking_softmax(torch.zeros(2, 4))
    >>> round(loss.exp().item(), 4)
    4.0
    """
    if mask is None:
        mask = torch.ones_like(logits, dtype=torch.bool)
    if not bool(mask[:, 1:].any()):
        raise ValueError("ranking_softmax needs a negative; without one the loss is always zero")
    if not bool(mask[:, 0].all()):
        raise ValueError("ranking_softmax needs the positive of every query in column 0")
    if scale <= 0:
        raise ValueError(f"ranking_softmax needs a scale above 0, found {scale}")
    wide = torch.promote_types(logits.dtype, torch.float32)
    with torch.autocast(logits.device.type, enabled=False):
        scores = logits.to(wide).sigmoid() if through_sigmoid else logits.to(wide)
        scores = (scale * scores).masked_fill(~mask, -torch.inf)
        return F.cross_entropy(scores, scores.new_zeros(len(scores), dtype=torch.long))
