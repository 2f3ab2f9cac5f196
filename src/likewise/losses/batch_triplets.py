"""Triplets out of labels: which rows of a batch are positives and negatives of each other."""

from typing import Literal, TypeAlias

import torch
from torch import Tensor

from likewise.losses.distances import measure_all

BatchDistance: TypeAlias = Literal["euclidean", "cosine"]


def relate_labels(labels: Tensor, *, loss: str) -> tuple[Tensor, Tensor]:
    """Which rows share a label, and which do not.

    Args:
        labels: [B].
        loss: the name of the function that asks, for the error.

    Returns:
        Two [B, B] bool: other rows of the same label, and rows of other labels.

    Raises:
        ValueError: no row has one of each, so that the batch holds no triplet.

    >>> same, other = relate_labels(torch.tensor([0, 0, 1]), loss="batch_all")
    >>> same.sum().item(), other.sum().item()
    (2, 4)
    """
    equal = labels[:, None] == labels[None, :]
    same = equal & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    if not bool((same.any(dim=1) & ~equal.all(dim=1)).any()):
        raise ValueError(
            f"{loss} needs a label with two rows and a row of another label: "
            "without both, there is no triplet"
        )
    return same, ~equal


def find_hardest(
    embeddings: Tensor, labels: Tensor, *, distance: BatchDistance, loss: str
) -> tuple[Tensor, Tensor]:
    """The farthest row of the same label and the nearest of another (Hermans et al. 2017, eq. 5).

    Args:
        embeddings: [B, D], float32 or wider.
        labels: [B].
        distance: "euclidean" or "cosine".
        loss: the name of the function that asks, for the error.

    Returns:
        Two [B], the distances of them; a row alone in its label is its own positive, at 0.

    Raises:
        ValueError: the batch holds no triplet.

    >>> line = torch.tensor([[0.0], [1.0], [5.0]])
    >>> positive, negative = find_hardest(
    ...     line, torch.tensor([0, 0, 1]), distance="euclidean", loss="batch_hard"
    ... )
    >>> positive.tolist(), negative.tolist()
    ([1.0, 1.0, 0.0], [5.0, 4.0, 4.0])
    """
    same, other = relate_labels(labels, loss=loss)
    distances = measure_all(embeddings, distance)
    farthest = distances.masked_fill(~same, 0.0).max(dim=1).values
    nearest = distances.masked_fill(~other, torch.inf).min(dim=1).values
    return farthest, nearest
