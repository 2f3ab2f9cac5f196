"""Adaptive layers: any loss, on the embeddings of earlier layers too."""

import math
from collections.abc import Callable, Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor


def adaptive_layers(
    loss: Callable[[Tensor], Tensor],
    embeddings: Tensor,
    *,
    layers: Sequence[int],
    last_weight: float = 1.0,
    prior_weight: float = 1.0,
    kl_weight: float = 1.0,
    kl_temperature: float = 0.3,
    weighting: Literal["uniform", "linear", "log"] = "uniform",
) -> Tensor:
    """The loss of the last layer and of earlier ones, which follow the last (Li et al. 2024).

    Args:
        loss: embeddings [S, D] to a scalar; any loss, with its other arguments bound.
        embeddings: [L, S, D], layer by layer; the last is the model's own.
        layers: the earlier ones to train in this step, from 0 to L - 2; the paper draws them.
        last_weight: of the last layer's loss.
        prior_weight: of the mean loss of the earlier layers.
        kl_weight: of the divergence that draws their soft-maxed embeddings to the last one's.
        kl_temperature: of that soft-max, and another weight of the divergence; 0 for none.
        weighting: of earlier layer i: 1, 1 / (1 + i), or 1 / (1 + log(1 + i)).

    Returns:
        [] float32 or wider, in the unit of the loss; `last_weight` times it without earlier layers.

    Raises:
        ValueError: a layer that is not from 0 to L - 2.

    >>> two = torch.stack([torch.zeros(3, 4), torch.ones(3, 4)])
    >>> adaptive_layers(lambda x: x.mean(), two, layers=[0]).item()
    1.0
    """
    last = len(embeddings) - 1
    if not all(0 <= layer < last for layer in layers):
        raise ValueError(f"adaptive_layers needs layers from 0 to {last - 1}, found {list(layers)}")
    wide = torch.promote_types(embeddings.dtype, torch.float32)
    with torch.autocast(embeddings.device.type, enabled=False):
        every = embeddings.to(wide)
        total = last_weight * loss(every[last])
        for layer in layers:
            weight = prior_weight * _weigh(layer, weighting) / len(layers)
            total = total + weight * loss(every[layer])
            if kl_temperature > 0:
                apart = _diverge(every[layer], every[last].detach(), kl_temperature)
                total = total + kl_weight * kl_temperature * apart
    return total


def _weigh(layer: int, weighting: Literal["uniform", "linear", "log"]) -> float:
    if weighting == "linear":
        return 1 / (1 + layer)
    return 1 / (1 + math.log(1 + layer)) if weighting == "log" else 1.0


def _diverge(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Mean over texts of the divergence of soft-maxed embeddings, in nats."""
    student, teacher = ((side / temperature).log_softmax(dim=-1) for side in (student, teacher))
    return F.kl_div(student, teacher, log_target=True, reduction="batchmean")
