"""Mega-batch margin: each anchor against the one hardest negative of a large batch."""

import torch
import torch.nn.functional as F
from torch import Tensor

from likewise.losses.candidates import gather_candidates
from likewise.registry import NotNegative


def mega_batch_margin(
    anchors: Tensor,
    positives: Tensor,
    negatives: Tensor | None = None,
    collides: Tensor | None = None,
    *,
    positive_margin: NotNegative = 0.8,
    negative_margin: NotNegative = 0.3,
) -> Tensor:
    """Hinges on the positive and on the nearest other candidate (Wieting and Gimpel 2018).

    The larger the batch, the harder the negative: batches of 500 and more are its purpose.

    Args:
        anchors: [B, D], any float dtype and any length: rows are normalised here.
        positives: [B, D]; row i answers anchor i.
        negatives: [N, D]; hard negatives, candidates for every anchor.
        collides: [B, B + N] bool; True where a candidate repeats the anchor's own positive, and so
            is no negative. What it says of an anchor's own column is ignored.
        positive_margin: the cosine that a positive should reach.
        negative_margin: the cosine that no negative should pass.

    Returns:
        [] float32 or wider, in cosines, mean over anchors; 1 - negative_margin where all
        embeddings are equal.

    Raises:
        ValueError: no anchor has a second candidate.

    >>> same = torch.ones(4, 2)
    >>> round(mega_batch_margin(same, same, negative_margin=0.5).item(), 4)
    0.5
    """
    candidates, collides = gather_candidates(
        positives, negatives, collides, loss="mega_batch_margin"
    )
    wide = torch.promote_types(anchors.dtype, torch.float32)
    with torch.autocast(anchors.device.type, enabled=False):
        rows, columns = (F.normalize(side.to(wide), dim=-1) for side in (anchors, candidates))
        cosines = rows @ columns.T  # [B, C]
        no_negative = collides.clone().fill_diagonal_(True)
        hardest = cosines.masked_fill(no_negative, -torch.inf).max(dim=1).values
        near = F.relu(positive_margin - cosines.diagonal())
        return (near + F.relu(hardest - negative_margin)).mean()
