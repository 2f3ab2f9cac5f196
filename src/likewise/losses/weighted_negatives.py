"""Multiple-negatives ranking in which an anchor's own hard negatives count for more, or less."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from likewise.losses.candidates import gather_candidates
from likewise.losses.row_parts import mean_over_rows


def weighted_mnr(
    anchors: Tensor,
    positives: Tensor,
    negatives: Tensor,
    collides: Tensor | None,
    own: Tensor,
    *,
    scale: float = 20.0,
    weight: float = 1.0,
) -> Tensor:
    """InfoNCE with weighted hard negatives (Gao et al. 2021, equation 8).

    Args:
        anchors: [B, D], any float dtype and any length: rows are normalised here.
        positives: [B, D]; row i answers anchor i.
        negatives: [N, D]; candidates for every anchor.
        collides: [B, B + N] bool; True where a candidate is no negative of an anchor.
        own: [B, N] bool; True where a negative was given for the anchor itself.
        scale: inverse temperature, multiplies the cosines.
        weight: times its term in the sum below the fraction that a negative of the anchor's own
            stands there; with 1 the loss is `mnr`.

    Returns:
        [] float32 or wider, in nats, mean over anchors; where all cosines are equal and each
        anchor has one negative of its own, log(B + N - 1 + weight).

    Raises:
        ValueError: no anchor has a second candidate, or the weight is not over 0.

    >>> same, own = torch.ones(2, 4), torch.eye(2, dtype=torch.bool)
    >>> round(weighted_mnr(same, same, same, None, own, weight=3.0).exp().item(), 4)
    6.0
    """
    if not 0 < weight < math.inf:
        raise ValueError(f"the weight of a negative is over 0 and finite, found {weight}")
    candidates, masked = gather_candidates(positives, negatives, collides, loss="weighted_mnr")
    wide = torch.promote_types(anchors.dtype, torch.float32)
    with torch.autocast(anchors.device.type, enabled=False):
        rows, columns = (F.normalize(side.to(wide), dim=-1) for side in (anchors, candidates))
        extra = F.pad(own.to(wide), (len(positives), 0)) * math.log(weight)  # [B, B + N]
        first = torch.arange(len(rows), device=rows.device)

        def ranked(part: slice) -> Tensor:
            logits = scale * rows[part] @ columns.T + extra[part]
            masked_logits = logits.masked_fill(masked[part], -torch.inf)
            return F.cross_entropy(masked_logits, first[part], reduction="sum")

        return mean_over_rows(ranked, rows=len(rows), scores=len(columns))
