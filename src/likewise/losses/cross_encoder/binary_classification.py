"""Binary classification: the logit of a pair is the log-odds that it belongs together."""

import torch
import torch.nn.functional as F
from torch import Tensor


def binary_cross_entropy(
    logits: Tensor, targets: Tensor, *, positive_weight: float = 1.0
) -> Tensor:
    """Binary cross-entropy of sigmoid(logit) and target (Nogueira and Cho 2019).

    With w the weight, -mean(w y log p + (1 - y) log(1 - p)) where p = sigmoid(logit). A target may
    be graded: a score from 0 to 5 is divided by 5 (Thakur et al. 2021).

    Args:
        logits: [B], any float dtype.
        targets: [B], from 0 to 1; bool, integer or float.
        positive_weight: how much a pair that belongs together counts; above 1 where few do.

    Returns:
        [] float32 or wider, in nats, mean over pairs; log(2) for logits of zero.

    Raises:
        ValueError: there are no pairs, not one target a logit, or a target that no probability
            can reach; or the weight is not positive.

    >>> loss = binary_cross_entropy(torch.zeros(3), torch.tensor([1, 0, 1]))
    >>> round(loss.exp().item(), 4)
    2.0
    """
    if len(logits) == 0:
        raise ValueError("binary_cross_entropy needs one pair or more")
    if logits.shape != targets.shape:
        shapes = f"{[*logits.shape]} and {[*targets.shape]}"
        raise ValueError(f"binary_cross_entropy needs one target a logit, found {shapes}")
    wide = torch.promote_types(logits.dtype, torch.float32)
    targets = targets.to(wide)
    if not bool(((targets >= 0) & (targets <= 1)).all()):
        raise ValueError("binary_cross_entropy needs targets from 0 to 1; divide by the highest")
    if positive_weight <= 0:
        raise ValueError(f"binary_cross_entropy needs a weight above 0, found {positive_weight}")
    with torch.autocast(logits.device.type, enabled=False):
        weight = targets.new_tensor(positive_weight)
        return F.binary_cross_entropy_with_logits(logits.to(wide), targets, pos_weight=weight)
