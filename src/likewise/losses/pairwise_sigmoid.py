"""Pairwise sigmoid: each anchor and candidate is a yes or no of its own, without a softmax."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from likewise.losses.candidates import gather_candidates
from likewise.losses.row_parts import mean_over_rows
from likewise.models.heads import PairScale


def sigmoid(
    anchors: Tensor,
    positives: Tensor,
    negatives: Tensor | None = None,
    collides: Tensor | None = None,
    head: PairScale | None = None,
    *,
    scale: float | None = None,
    bias: float | None = None,
) -> Tensor:
    """Log loss of every anchor with every candidate (Zhai et al. 2023, algorithm 1).

    The head learns by how much cosines are multiplied and what is added to them; it is needed for
    training only.

    Args:
        anchors: [B, D], any float dtype and any length: rows are normalised here.
        positives: [B, D]; row i answers anchor i.
        negatives: [N, D]; hard negatives, candidates for every anchor.
        collides: [B, B + N] bool; True where a candidate repeats the anchor's own positive: such a
            pair is neither yes nor no. An anchor's own column is ignored.
        head: the learned scale and bias; None for those with which it starts, 10 and -10.
        scale: a fixed inverse temperature instead of the head's.
        bias: a fixed bias instead of the head's.

    Returns:
        [] float32 or wider, in nats, sum over candidates, mean over anchors; (B + N) log(2) with a
        scale and a bias of zero.

    Raises:
        ValueError: no anchor has a second candidate.

    >>> loss = sigmoid(torch.eye(4), torch.eye(4), scale=0.0, bias=0.0)
    >>> round((loss / 4).exp().item(), 4)
    2.0
    """
    candidates, collides = gather_candidates(positives, negatives, collides, loss="sigmoid")
    wide = torch.promote_types(anchors.dtype, torch.float32)
    with torch.autocast(anchors.device.type, enabled=False):
        rows, columns = (F.normalize(side.to(wide), dim=-1) for side in (anchors, candidates))
        measure = head or PairScale()
        own = torch.arange(len(rows), device=rows.device)

        def decided(part: slice) -> Tensor:
            logits = measure(rows[part] @ columns.T, scale=scale, bias=bias)  # [b, C]
            logits = logits.scatter(1, own[part, None], -logits.gather(1, own[part, None]))
            return F.softplus(logits).masked_fill(collides[part], 0.0).sum()

        return mean_over_rows(decided, rows=len(rows), scores=len(columns))


def pair_scale(width: int, classes: int) -> nn.Module:
    """The head of `sigmoid`; it depends on neither the width nor the number of classes."""
    return PairScale()
