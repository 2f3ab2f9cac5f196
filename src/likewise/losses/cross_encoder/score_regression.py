"""Score regression: what is predicted for a pair should equal its score."""

import torch
import torch.nn.functional as F
from torch import Tensor


def mean_squared_error(logits: Tensor, targets: Tensor, *, through_sigmoid: bool = True) -> Tensor:
    """Mean squared error of predictions and scores (Hofstätter et al. 2020).

    Trained through the sigmoid, a cross-encoder predicts scores from 0 to 1 as it was taught them.
    The logits of a teacher are learnt without it, and then the prediction is the logit.

    Args:
        logits: [B], any float dtype.
        targets: [B]; from 0 to 1 through the sigmoid, without it any number.
        through_sigmoid: compare sigmoid(logit) with the target, not the logit itself.

    Returns:
        [] float32 or wider, squared units of the target, mean over pairs; for logits of zero the
        mean of (y - 0.5)², without the sigmoid of y².

    Raises:
        ValueError: there are no pairs, not one target a logit, or a target that no sigmoid can
            reach.

    >>> mean_squared_error(torch.zeros(2), torch.tensor([0.0, 1.0])).item()
    0.25
    """
    if len(logits) == 0:
        raise ValueError("mean_squared_error needs one pair or more")
    if logits.shape != targets.shape:
        shapes = f"{[*logits.shape]} and {[*targets.shape]}"
        raise ValueError(f"mean_squared_error needs one target a logit, found {shapes}")
    wide = torch.promote_types(logits.dtype, torch.float32)
    targets = targets.to(wide)
    if through_sigmoid and not bool(((targets >= 0) & (targets <= 1)).all()):
        raise ValueError("mean_squared_error needs targets from 0 to 1; divide by the highest")
    with torch.autocast(logits.device.type, enabled=False):
        predicted = logits.to(wide).sigmoid() if through_sigmoid else logits.to(wide)
        return F.mse_loss(predicted, targets)
