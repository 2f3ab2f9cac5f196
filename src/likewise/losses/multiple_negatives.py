"""Multiple-negatives ranking: every other row's positive is a negative."""

import torch
import torch.nn.functional as F
from torch import Tensor

from likewise.losses.candidates import gather_candidates
from likewise.losses.row_parts import mean_over_rows
from likewise.registry import Positive


def mnr(
    anchors: Tensor,
    positives: Tensor,
    negatives: Tensor | None = None,
    collides: Tensor | None = None,
    *,
    scale: Positive = 20.0,
    symmetric: bool = False,
) -> Tensor:
    """InfoNCE over the batch (Henderson et al. 2017; van den Oord et al. 2018, eq. 4).

    An anchor with several positives stands in as many rows, whose candidates collide.

    Args:
        anchors: [B, D], any float dtype and any length: rows are normalised here.
        positives: [B, D]; row i answers anchor i.
        negatives: [N, D]; hard negatives, candidates for every anchor.
        collides: [B, B + N] bool; True where a candidate repeats the anchor's own positive, and so
            is no negative. What it says of an anchor's own column is ignored.
        scale: inverse temperature, multiplies the cosines.
        symmetric: also find each anchor among all anchors by its positive (Günther et al. 2023,
            section 5), and take the mean of the two directions.

    Returns:
        [] float32 or wider, in nats, mean over anchors; log(B + N) where all cosines are equal.

    Raises:
        ValueError: no anchor has a second candidate, and so there is nothing to learn.

    >>> mnr(torch.eye(4), torch.eye(4)).item() < 1e-6
    True
    >>> same = torch.ones(4, 8)
    >>> round(mnr(same, same, symmetric=True).exp().item(), 4)
    4.0
    """
    candidates, collides = gather_candidates(positives, negatives, collides, loss="mnr")
    wide = torch.promote_types(anchors.dtype, torch.float32)
    with torch.autocast(anchors.device.type, enabled=False):
        rows, columns = (F.normalize(side.to(wide), dim=-1) for side in (anchors, candidates))
        own = torch.arange(len(anchors), device=rows.device)

        def ranked(part: slice) -> Tensor:
            logits = (scale * rows[part] @ columns.T).masked_fill(collides[part], -torch.inf)
            return F.cross_entropy(logits, own[part], reduction="sum")

        def ranked_back(part: slice) -> Tensor:  # each positive, all anchors
            logits = scale * columns[: len(rows)][part] @ rows.T
            masked = logits.masked_fill(collides[:, : len(rows)].T[part], -torch.inf)
            return F.cross_entropy(masked, own[part], reduction="sum")

        loss = mean_over_rows(ranked, rows=len(rows), scores=len(columns))
        if symmetric:
            back = mean_over_rows(ranked_back, rows=len(rows), scores=len(rows))
            loss = (loss + back) / 2
    return loss
