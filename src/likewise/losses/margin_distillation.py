"""Margin distillation: differences of a student's similarities are those of a teacher's scores."""

import torch
import torch.nn.functional as F
from torch import Tensor

from likewise.losses.candidates import Similarity, compare_candidates


def margin_mse(
    anchors: Tensor, candidates: Tensor, scores: Tensor, *, similarity: Similarity = "dot"
) -> Tensor:
    """Squared error of s(positive) - s(negative) (Hofstätter et al. 2020, Margin-MSE).

    Only differences count: a teacher's scores may have any offset, but not any unit. Cosines differ
    by 2 at most, so that the scores of a cross-encoder ask for "dot".

    Args:
        anchors: [B, D], any float dtype.
        candidates: [B, C, D]; the positive first, then C - 1 negatives.
        scores: [B, C], the teacher's.
        similarity: "dot", as the paper has it, or "cosine".

    Returns:
        [] float32 or wider, squared score units, mean over negatives; zero where the student's
        differences are the teacher's.

    Raises:
        ValueError: there is no negative, or the scores are not one a candidate.

    >>> candidates = torch.tensor([[[3.0, 0.0], [1.0, 0.0]]])
    >>> margin_mse(torch.tensor([[1.0, 0.0]]), candidates, torch.tensor([[9.0, 7.0]])).item()
    0.0
    """
    check_scores(candidates, scores, loss="margin_mse")
    wide = torch.promote_types(anchors.dtype, torch.float32)
    with torch.autocast(anchors.device.type, enabled=False):
        student = compare_candidates(anchors.to(wide), candidates.to(wide), similarity)
        teacher = scores.to(wide)
        return F.mse_loss(student[:, :1] - student[:, 1:], teacher[:, :1] - teacher[:, 1:])


def check_scores(candidates: Tensor, scores: Tensor, *, loss: str) -> None:
    """Refuse candidates that a teacher cannot tell apart.

    Args:
        candidates: [B, C, D].
        scores: [B, C].
        loss: the name of the function that asks, for the error.

    Raises:
        ValueError: fewer than one anchor or two candidates, or scores of another shape.
    """
    if candidates.shape[0] == 0 or candidates.shape[1] < 2:
        raise ValueError(f"{loss} needs an anchor with two candidates or more; one is no choice")
    if scores.shape != candidates.shape[:2]:
        raise ValueError(
            f"{loss} needs one score a candidate: expected {list(candidates.shape[:2])}, "
            f"found {list(scores.shape)}"
        )
