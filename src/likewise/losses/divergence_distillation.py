"""Divergence distillation: a student spreads its belief over the candidates as a teacher does."""

import torch
import torch.nn.functional as F
from torch import Tensor

from likewise.losses.candidates import Similarity, compare_candidates
from likewise.losses.margin_distillation import check_scores
from likewise.registry import Positive


def kl(
    anchors: Tensor,
    candidates: Tensor,
    scores: Tensor,
    *,
    temperature: Positive = 1.0,
    teacher_temperature: float | None = None,
    similarity: Similarity = "dot",
) -> Tensor:
    """Kullback-Leibler divergence of soft-maxed scores (Hinton et al. 2015; Lin et al. 2020).

    Args:
        anchors: [B, D], any float dtype.
        candidates: [B, C, D]; the positive first, then C - 1 negatives.
        scores: [B, C], the teacher's.
        temperature: divides the student's similarities; the loss is multiplied by its square, so
            that the size of the gradients does not depend on it (Hinton et al. 2015, section 2).
        teacher_temperature: divides the teacher's scores; `temperature` where None.
        similarity: "dot" or "cosine"; a cosine needs a temperature of about 0.05.

    Returns:
        [] float32 or wider, in nats, mean over anchors; zero where both distributions agree.

    Raises:
        ValueError: there is no second candidate, or the scores are not one a candidate, or a
            temperature is not above zero.

    >>> candidates = torch.tensor([[[3.0, 0.0], [1.0, 0.0]]])
    >>> kl(torch.tensor([[1.0, 0.0]]), candidates, torch.tensor([[9.0, 7.0]])).item()
    0.0
    """
    check_scores(candidates, scores, loss="kl")
    hers = temperature if teacher_temperature is None else teacher_temperature
    if not (temperature > 0 and hers > 0):
        raise ValueError(f"kl needs temperatures above 0, found {min(temperature, hers)}")
    wide = torch.promote_types(anchors.dtype, torch.float32)
    with torch.autocast(anchors.device.type, enabled=False):
        student = compare_candidates(anchors.to(wide), candidates.to(wide), similarity)
        teacher = (scores.to(wide) / hers).log_softmax(dim=1)
        student = (student / temperature).log_softmax(dim=1)
        apart = F.kl_div(student, teacher, log_target=True, reduction="batchmean")
        return apart * temperature**2
