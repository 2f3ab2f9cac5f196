"""What anchors choose from: the candidates of a contrast, and those that a teacher scored."""

from typing import Literal, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

Similarity: TypeAlias = Literal["dot", "cosine"]


def gather_candidates(
    positives: Tensor, negatives: Tensor | None, collides: Tensor | None, *, loss: str
) -> tuple[Tensor, Tensor]:
    """Put positives and negatives into one table, and say which of them are no negatives.

    Args:
        positives: [B, D]; row i answers anchor i.
        negatives: [N, D], candidates for every anchor; None for no more than the positives.
        collides: [B, B + N] bool; what it says of an anchor's own column is ignored. None for all
            False.
        loss: the name of the function that asks, for the error.

    Returns:
        Candidates [B + N, D], and [B, B + N] bool: True where a candidate is no negative although
        it is not the anchor's own positive.

    Raises:
        ValueError: no anchor has a second candidate.

    >>> candidates, collides = gather_candidates(torch.eye(2), None, None, loss="mnr")
    >>> candidates.shape, collides.any().item()
    (torch.Size([2, 2]), False)
    """
    anchors = len(positives)
    candidates = positives if negatives is None else torch.cat([positives, negatives])  # [C, D]
    if collides is None:
        masked = torch.zeros(anchors, len(candidates), dtype=torch.bool, device=candidates.device)
    elif bool(collides.diagonal().any()):
        masked = collides.clone().fill_diagonal_(False)  # never an anchor's own column
    else:
        masked = collides  # as a batch has it: 268 MB of 16,384 pairs need no copy
    alone = len(candidates) < 2 or anchors == 0
    # not the sum, for which torch writes the whole table as int64 first
    none_left = collides is not None and int(masked.count_nonzero()) == masked.numel() - anchors
    if alone or none_left:
        raise ValueError(
            f"{loss} needs two candidates or more: without a negative, nothing is to be learned"
        )
    return candidates, masked


def widen_collisions(pairs: Tensor, part: slice) -> Tensor:
    """Say which anchors are no negatives of some anchors, and so which positives of positives.

    Args:
        pairs: [B, B] bool; True where a positive is no negative of an anchor.
        part: the b rows that are asked for.

    Returns:
        [b, B] bool; True for a row itself, and wherever `pairs` says so in either direction.

    >>> widen_collisions(torch.zeros(2, 2, dtype=torch.bool), slice(1, 2)).tolist()
    [[False, True]]
    """
    either = pairs[part] | pairs.T[part]
    own = torch.arange(len(pairs), device=pairs.device)
    return either | (own[part, None] == own)


def compare_candidates(anchors: Tensor, candidates: Tensor, similarity: Similarity) -> Tensor:
    """Compare each anchor with its own candidates.

    Args:
        anchors: [B, D].
        candidates: [B, C, D].
        similarity: "dot" or "cosine".

    Returns:
        [B, C].

    Raises:
        ValueError: a similarity that is neither.

    >>> compare_candidates(torch.eye(2), 3 * torch.ones(2, 1, 2), "dot").tolist()
    [[3.0], [3.0]]
    """
    if similarity not in ("dot", "cosine"):
        raise ValueError(f'there is no similarity "{similarity}"; one of: dot, cosine')
    if similarity == "cosine":
        anchors, candidates = F.normalize(anchors, dim=-1), F.normalize(candidates, dim=-1)
    return torch.einsum("bd,bcd->bc", anchors, candidates)
