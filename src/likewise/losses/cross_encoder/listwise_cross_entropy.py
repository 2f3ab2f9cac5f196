"""ListNet: what is likely to rank first by the logits should be what does by the grades."""

import torch
from torch import Tensor


def list_net(logits: Tensor, grades: Tensor, mask: Tensor | None = None) -> Tensor:
    """Cross-entropy of two top-one distributions (Cao et al. 2007).

    -mean over queries of sum_j softmax(grades)_j log softmax(logits)_j.

    Args:
        logits: [Q, C], any float dtype.
        grades: [Q, C] of relevance, higher is better; a difference of 1 makes e times as likely.
        mask: [Q, C] bool, True where there is a candidate; all of them where it is None.

    Returns:
        [] float32 or wider, in nats, mean over queries; log(C) where all logits are equal. The
        least that can be reached is the entropy of softmax(grades), which is not zero.

    Raises:
        ValueError: no query has two candidates, and so there is nothing to learn; a query has
            none; or there is not one grade a logit.

    >>> loss = list_net(torch.zeros(2, 4), torch.tensor([[1, 0, 0, 0], [3, 2, 1, 0]]))
    >>> round(loss.exp().item(), 4)
    4.0
    """
    if mask is None:
        mask = torch.ones_like(logits, dtype=torch.bool)
    if logits.shape != grades.shape:
        shapes = f"{[*logits.shape]} and {[*grades.shape]}"
        raise ValueError(f"list_net needs one grade a logit, found {shapes}")
    counts = mask.sum(dim=-1)  # [Q]
    if not bool((counts > 1).any()):
        raise ValueError("list_net needs two candidates; with one the loss is always zero")
    if not bool((counts > 0).all()):
        raise ValueError("list_net needs a candidate of every query")
    wide = torch.promote_types(logits.dtype, torch.float32)
    with torch.autocast(logits.device.type, enabled=False):
        target = grades.to(wide).masked_fill(~mask, -torch.inf).softmax(dim=-1)
        found = logits.to(wide).masked_fill(~mask, -torch.inf).log_softmax(dim=-1)
        return -(target * found.masked_fill(~mask, 0.0)).sum(dim=-1).mean()
