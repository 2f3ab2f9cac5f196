"""Label classification: the logits of a pair tell its label, as entailment or contradiction."""

import torch
import torch.nn.functional as F
from torch import Tensor


def cross_entropy(logits: Tensor, labels: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
    """Cross-entropy of softmax(logits) and label (Devlin et al. 2019, section 4.1).

    With s the smoothing, -mean(sum_k q_k log p_k) where p = softmax(logits), and q_k = s / K, and
    1 - s more for the label (Szegedy et al. 2016, section 7).

    Args:
        logits: [B, K], any float dtype.
        labels: [B] integers from 0 to K - 1.
        label_smoothing: from 0 to below 1; the share of the target spread over all labels.

    Returns:
        [] float32 or wider, in nats, mean over pairs; log(K) for logits of zero.

    Raises:
        ValueError: there are no pairs, or one class only, which is always right; a label has no
            logit; or smoothing would leave nothing of the label.

    >>> loss = cross_entropy(torch.zeros(2, 3), torch.tensor([0, 2]))
    >>> round(loss.exp().item(), 4)
    3.0
    """
    if len(logits) == 0:
        raise ValueError("cross_entropy needs one pair or more")
    if logits.ndim != 2 or logits.shape[1] < 2:
        found = [*logits.shape]
        raise ValueError(f"cross_entropy needs logits of two classes or more, found {found}")
    classes = logits.shape[1]
    if labels.shape != logits.shape[:1] or not bool(((labels >= 0) & (labels < classes)).all()):
        raise ValueError(f"cross_entropy needs one label a pair, from 0 to {classes - 1}")
    if not 0 <= label_smoothing < 1:
        raise ValueError(
            f"cross_entropy needs smoothing from 0 to below 1, found {label_smoothing}"
        )
    wide = torch.promote_types(logits.dtype, torch.float32)
    with torch.autocast(logits.device.type, enabled=False):
        return F.cross_entropy(logits.to(wide), labels.long(), label_smoothing=label_smoothing)
