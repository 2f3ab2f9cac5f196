"""Matryoshka: any loss, on the first dimensions of the embeddings too."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def matryoshka(
    loss: Callable[[Tensor], Tensor],
    embeddings: Tensor,
    *,
    dimensions: Sequence[int],
    weights: Sequence[float] | None = None,
) -> Tensor:
    """Weighted sum of a loss over nested lengths of the embeddings (Kusupati et al. 2022, eq. 1).

    What lies beyond a length is set to zero, and the rest scaled to length 1: cosines, dots and
    distances are those of shorter vectors, and heads and teachers keep their width.

    Args:
        loss: embeddings [S, D] to a scalar; any loss, with its other arguments bound.
        embeddings: [S, D], any float dtype and any length.
        dimensions: how many of the first dimensions to keep, one after the other; D itself should
            be among them, or the full embeddings are not trained.
        weights: one a length; all 1 where None.

    Returns:
        [] float32 or wider, in the unit of the loss.

    Raises:
        ValueError: no length, one that is not from 1 to D, or weights that are not as many.

    >>> matryoshka(lambda x: x.square().sum(), torch.ones(3, 8), dimensions=[8, 4]).item()
    6.0
    """
    width = embeddings.shape[-1]
    if not dimensions or not all(1 <= kept <= width for kept in dimensions):
        found = list(dimensions)
        raise ValueError(f"matryoshka needs dimensions from 1 to {width}, found {found}")
    if weights is None:
        weights = [1.0] * len(dimensions)
    if len(weights) != len(dimensions):
        counts = f"{len(dimensions)} dimensions and {len(weights)} weights"
        raise ValueError(f"matryoshka needs one weight a dimension, found {counts}")
    wide = torch.promote_types(embeddings.dtype, torch.float32)
    place = torch.arange(width, device=embeddings.device)
    total = embeddings.new_zeros((), dtype=wide)
    for kept, weight in zip(dimensions, weights, strict=True):
        cut = embeddings.to(wide).masked_fill(place >= kept, 0.0)
        total = total + weight * loss(F.normalize(cut, dim=-1))
    return total
