"""Softmax classification: a head tells the relation of a pair from its two embeddings."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from likewise.models.heads import PairClassifier


def softmax_nli(u: Tensor, v: Tensor, labels: Tensor, head: nn.Module) -> Tensor:
    """Cross-entropy of a classifier over (u, v, |u - v|) (Reimers and Gurevych 2019, section 3).

    The head is trained together with the encoder; it is needed for training only. Where it was
    made with `product`, u * v stands among the features too.

    Args:
        u: [B, D], any float dtype; lengths count, rows are not normalised.
        v: [B, D]; row i pairs with row i of `u`.
        labels: [B] integers from 0 to K - 1.
        head: maps [B, 3 D], or [B, 4 D] with the product, to [B, K]; its weights are float32 or
            wider.

    Returns:
        [] float32 or wider, in nats, mean over pairs; log(K) for a head of zeros.

    Raises:
        ValueError: there are no pairs, or the head knows one class only: its loss is always zero.

    >>> head = nn.Linear(12, 3)
    >>> _ = nn.init.zeros_(head.weight), nn.init.zeros_(head.bias)
    >>> loss = softmax_nli(torch.eye(4), torch.ones(4, 4), torch.tensor([0, 1, 2, 0]), head)
    >>> round(loss.exp().item(), 4)
    3.0
    """
    if len(labels) == 0:
        raise ValueError("softmax_nli needs one pair or more")
    wide = torch.promote_types(u.dtype, torch.float32)
    with torch.autocast(u.device.type, enabled=False):
        left, right = u.to(wide), v.to(wide)
        features = [left, right, (left - right).abs()]
        if getattr(head, "product", False):
            features.append(left * right)
        logits = head(torch.cat(features, dim=-1))  # [B, K]
        if logits.shape[-1] < 2:
            raise ValueError("softmax_nli needs a head of two classes or more; one is always right")
        return F.cross_entropy(logits, labels)


def pair_classifier(width: int, classes: int, *, product: bool = False) -> nn.Module:
    """The head of `softmax_nli`.

    Args:
        width: D of an embedding.
        classes: K, 3 for NLI.
        product: also take u * v among the features (Reimers and Gurevych 2019, table 6).
    """
    return PairClassifier(width, classes, product=product)
