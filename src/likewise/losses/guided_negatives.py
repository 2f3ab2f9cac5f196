"""GIST: a guide tells which candidates of a batch are too good to be negatives."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from likewise.losses.candidates import gather_candidates
from likewise.registry import Positive


def gist(
    anchors: Tensor,
    positives: Tensor,
    negatives: Tensor | None = None,
    collides: Tensor | None = None,
    *guides: Tensor | None,
    scale: Positive = 100.0,
    margin: float = 0.0,
    margin_strategy: Literal["absolute", "relative"] = "absolute",
    same_side: bool = True,
) -> Tensor:
    """InfoNCE without what a guide finds nearer than the positive (Solatorio 2024).

    Args:
        anchors: [B, D], any float dtype and any length: rows are normalised here.
        positives: [B, D]; row i answers anchor i.
        negatives: [N, D]; hard negatives, candidates for every anchor.
        collides: [B, B + N] bool; True where a candidate repeats the anchor's own positive, and so
            is no negative whatever the guide says.
        guides: the guide's vectors of the anchors [B, G], the positives [B, G] and, where there
            are any, the negatives [N, G]; no gradient goes there.
        scale: inverse temperature, multiplies the cosines.
        margin: also leave out candidates that the guide finds less near than the positive by less
            than this; below zero, keep some that it finds nearer.
        margin_strategy: "absolute", the margin is a difference of cosines; or "relative", a part
            of the positive's cosine.
        same_side: anchors also are negatives of each other, and so are positives.

    Returns:
        [] float32 or wider, in nats, mean over anchors; zero where the guide leaves no negative.

    Raises:
        ValueError: no anchor has a second candidate, or the guide's vectors are missing.

    >>> texts, guides = torch.eye(4), torch.eye(4)
    >>> gist(texts, texts, None, None, guides, guides).item() < 1e-6
    True
    """
    candidates, collides = gather_candidates(positives, negatives, collides, loss="gist")
    given = [guide.detach() for guide in guides if guide is not None]
    if len(given) != 2 + (negatives is not None):
        raise ValueError("gist needs the guide's vectors of all texts that it is given")
    count = len(anchors)
    wide = torch.promote_types(anchors.dtype, torch.float32)
    seen = torch.promote_types(given[0].dtype, torch.float32)
    with torch.autocast(anchors.device.type, enabled=False):
        guided = _compare(given[0].to(seen), torch.cat(given[1:]).to(seen), same_side=same_side)
        nearest = guided.diagonal()[:, None]
        bound = nearest - margin * (nearest.abs() if margin_strategy == "relative" else 1.0)
        mask = (guided > bound).fill_diagonal_(False)  # never an anchor's own positive
        mask |= collides if not same_side else _widen(collides)
        logits = _compare(anchors.to(wide), candidates.to(wide), same_side=same_side)
        logits = (scale * logits).masked_fill(mask, -torch.inf)
        return F.cross_entropy(logits, torch.arange(count, device=logits.device))


def _compare(anchors: Tensor, candidates: Tensor, *, same_side: bool) -> Tensor:
    """Cosines [B, C] of anchors and candidates; then [B, B] of anchors, and of positives."""
    rows, columns = F.normalize(anchors, dim=-1), F.normalize(candidates, dim=-1)
    across = rows @ columns.T
    if not same_side:
        return across
    positives = columns[: len(rows)]
    return torch.cat([across, rows @ rows.T, positives @ positives.T], dim=1)


def _widen(collides: Tensor) -> Tensor:
    """The mask of anchors among anchors and positives among positives too: never a text itself."""
    pairs = collides[:, : len(collides)]
    own = (pairs | pairs.T).fill_diagonal_(True)
    return torch.cat([collides, own, own], dim=1)
