"""Contrastive Tension: two encoders agree on a text and disagree on two."""

import torch
import torch.nn.functional as F
from torch import Tensor

from likewise.losses.candidates import gather_candidates


def contrastive_tension(first: Tensor, second: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of the dot product of two encoders' vectors (Carlsson et al. 2021, section 3).

    Args:
        first: [m, D] by one encoder, any float dtype; lengths count, rows are not normalised.
        second: [m, D] by the other; row i pairs with row i of `first`.
        labels: [m] 1 where both rows are of one text, else 0.

    Returns:
        [] float32 or wider, in nats, the sum over pairs; m log(2) where all products are zero.

    Raises:
        ValueError: there are no pairs, or all of them have the same label.

    >>> loss = contrastive_tension(torch.eye(2), torch.zeros(2, 2), torch.tensor([1, 0]))
    >>> round(loss.exp().item(), 4)
    4.0
    """
    if len(labels) == 0 or bool((labels == labels[0]).all()):
        raise ValueError("contrastive_tension needs pairs of both kinds: alike, and not")
    wide = torch.promote_types(first.dtype, torch.float32)
    with torch.autocast(first.device.type, enabled=False):
        products = (first.to(wide) * second.to(wide)).sum(dim=-1)  # [m]
        return F.binary_cross_entropy_with_logits(products, labels.to(wide), reduction="sum")


def contrastive_tension_in_batch(
    first: Tensor, second: Tensor, log_scale: Tensor, collides: Tensor | None = None
) -> Tensor:
    """Each encoder finds a text among those of the batch by the other's vector of it.

    This is the in-batch form of Contrastive Tension in sentence-transformers: the loss of CLIP
    (Radford et al. 2021, figure 3) on two encoders' vectors of the same texts.

    Args:
        first: [B, D] by one encoder, any float dtype and any length: rows are normalised here.
        second: [B, D] by the other; row i is of the same text.
        log_scale: [] natural logarithm of what multiplies the cosines; trained with the encoders.
        collides: [B, B] bool, symmetric; True where two texts are near-duplicates, and so no
            negatives of one another. Its diagonal is ignored.

    Returns:
        [] float32 or wider, in nats, mean over the texts and both directions; log(B) where all
        cosines are equal.

    Raises:
        ValueError: no text has a negative, and so there is nothing to learn.

    >>> same = torch.ones(4, 8)
    >>> round(contrastive_tension_in_batch(same, same, torch.tensor(3.0)).exp().item(), 4)
    4.0
    """
    _, masked = gather_candidates(second, None, collides, loss="contrastive_tension_in_batch")
    wide = torch.promote_types(first.dtype, torch.float32)
    with torch.autocast(first.device.type, enabled=False):
        rows, columns = (F.normalize(side.to(wide), dim=-1) for side in (first, second))
        logits = log_scale.to(wide).exp() * rows @ columns.T  # [B, B]
        logits = logits.masked_fill(masked, -torch.inf)
        own = torch.arange(len(logits), device=logits.device)
        return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2
