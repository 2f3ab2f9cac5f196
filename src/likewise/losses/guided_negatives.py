"""GIST: a guide tells which candidates of a batch are too good to be negatives."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from likewise.losses.candidates import gather_candidates, widen_collisions
from likewise.losses.row_parts import mean_over_rows
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
        guided = _normalise(given[0].to(seen), torch.cat(given[1:]).to(seen))
        learned = _normalise(anchors.to(wide), candidates.to(wide))
        own = torch.arange(count, device=anchors.device)

        def ranked(part: slice) -> Tensor:
            near = _compare(*guided, part, same_side=same_side)
            nearest = near.gather(1, own[part, None])
            bound = nearest - margin * (nearest.abs() if margin_strategy == "relative" else 1.0)
            mask = (near > bound).scatter(1, own[part, None], False)  # never its own positive
            mask |= _widen(collides, part) if same_side else collides[part]
            logits = scale * _compare(*learned, part, same_side=same_side)
            logits = logits.masked_fill(mask, -torch.inf)
            return F.cross_entropy(logits, own[part], reduction="sum")

        scores = len(candidates) + 2 * count * same_side
        return mean_over_rows(ranked, rows=count, scores=scores)


def _normalise(anchors: Tensor, candidates: Tensor) -> tuple[Tensor, Tensor]:
    return F.normalize(anchors, dim=-1), F.normalize(candidates, dim=-1)


def _compare(rows: Tensor, columns: Tensor, part: slice, *, same_side: bool) -> Tensor:
    """Cosines [b, C] of some anchors and all candidates; then [b, B] of anchors, of positives."""
    across = rows[part] @ columns.T
    if not same_side:
        return across
    positives = columns[: len(rows)]
    return torch.cat([across, rows[part] @ rows.T, positives[part] @ positives.T], dim=1)


def _widen(collides: Tensor, part: slice) -> Tensor:
    """The mask of anchors among anchors and positives among positives too."""
    own = widen_collisions(collides[:, : len(collides)], part)
    return torch.cat([collides[part], own, own], dim=1)
