"""Improved contrastive learning: queries and documents against each other and among themselves."""

import torch
import torch.nn.functional as F
from torch import Tensor

from likewise.losses.candidates import gather_candidates, widen_collisions
from likewise.losses.row_parts import mean_over_rows
from likewise.registry import Positive


def improved_contrastive(
    anchors: Tensor,
    positives: Tensor,
    negatives: Tensor | None = None,
    collides: Tensor | None = None,
    *,
    scale: Positive = 20.0,
    backward: bool = True,
    same_side: bool = True,
) -> Tensor:
    """InfoNCE with all four directions in one denominator (Li et al. 2023).

    Four times the negatives of `mnr` from one batch. Hard negatives are candidates of the anchors;
    among documents, positives alone are compared: a positive and its own negative may well be near.

    Args:
        anchors: [B, D], any float dtype and any length: rows are normalised here.
        positives: [B, D]; row i answers anchor i.
        negatives: [N, D]; hard negatives, candidates for every anchor.
        collides: [B, B + N] bool; True where a candidate repeats the anchor's own positive, and so
            is no negative, in any direction. An anchor's own column is ignored.
        scale: inverse temperature, multiplies the cosines; the paper's is 100.
        backward: positives also choose among all anchors.
        same_side: anchors also are negatives of each other, and so are positives.

    Returns:
        [] float32 or wider, in nats, mean over anchors; log(4 B + N - 2) where all cosines are
        equal.

    Raises:
        ValueError: no anchor has a second candidate.

    >>> same = torch.ones(4, 8)
    >>> round(improved_contrastive(same, same).exp().item(), 4)
    14.0
    """
    candidates, collides = gather_candidates(
        positives, negatives, collides, loss="improved_contrastive"
    )
    count = len(anchors)
    wide = torch.promote_types(anchors.dtype, torch.float32)
    with torch.autocast(anchors.device.type, enabled=False):
        rows, columns = (F.normalize(side.to(wide), dim=-1) for side in (anchors, candidates))
        documents, pairs = columns[:count], collides[:, :count]
        own = torch.arange(count, device=rows.device)

        def ranked(part: slice) -> Tensor:
            across = rows[part] @ columns.T  # [b, C]
            terms, masks = [across], [collides[part]]
            if backward:  # row i: its positive among all anchors
                terms.append(documents[part] @ rows.T)
                masks.append(pairs.T[part])
            if same_side:
                itself = widen_collisions(pairs, part)
                terms += [rows[part] @ rows.T, documents[part] @ documents.T]
                masks += [itself, itself]
            logits = scale * torch.cat(terms, dim=1)
            partition = logits.masked_fill(torch.cat(masks, dim=1), -torch.inf).logsumexp(dim=1)
            return (partition - scale * across.gather(1, own[part, None])[:, 0]).sum()

        scores = len(columns) + count * (backward + 2 * same_side)
        return mean_over_rows(ranked, rows=count, scores=scores)
