"""Embedding distillation: a student's vector of a text becomes the teacher's."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from likewise.losses.distances import measure_pairs


def mse(
    embeddings: Tensor, guides: Tensor, *, distance: Literal["mse", "l2", "cosine"] = "mse"
) -> Tensor:
    """How far embeddings are from a teacher's of the same texts (Reimers and Gurevych 2020).

    Args:
        embeddings: [B, D], any float dtype.
        guides: [B, D], the teacher's; no gradient goes there.
        distance: "mse", the mean of squared differences over all numbers; "l2", the mean
            euclidean distance (Kim et al. 2023); or "cosine", 1 minus the mean cosine.

    Returns:
        [] float32 or wider; zero where student and teacher agree.

    Raises:
        ValueError: there are no texts, or the teacher's vectors have another width.

    >>> mse(torch.zeros(2, 4), torch.ones(2, 4)).item(), mse(
    ...     torch.zeros(2, 4), torch.ones(2, 4), distance="l2"
    ... ).item()
    (1.0, 2.0)
    """
    if len(embeddings) == 0:
        raise ValueError("mse needs one text or more")
    if embeddings.shape != guides.shape:
        raise ValueError(
            f"mse needs a teacher of the student's width: expected {list(embeddings.shape)}, "
            f"found {list(guides.shape)}"
        )
    wide = torch.promote_types(embeddings.dtype, torch.float32)
    with torch.autocast(embeddings.device.type, enabled=False):
        student, teacher = embeddings.to(wide), guides.detach().to(wide)
        if distance == "mse":
            return F.mse_loss(student, teacher)
        kind: Literal["euclidean", "cosine"] = "euclidean" if distance == "l2" else "cosine"
        return measure_pairs(student, teacher, kind).mean()
