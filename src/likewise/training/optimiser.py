"""AdamW over encoder and head, and the learning rate at each moment."""

import math
from collections.abc import Iterable

import torch
from torch import nn

from likewise.training.options import TrainingOptions


def build_optimiser(
    named: Iterable[tuple[str, nn.Parameter]], options: TrainingOptions
) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter 2019), with no decay on biases and norms.

    Args:
        named: every trainable parameter, the head's included.
        options: learning rate and decay.
    """
    decayed: list[nn.Parameter] = []
    plain: list[nn.Parameter] = []
    for _, parameter in named:
        (decayed if parameter.dim() > 1 else plain).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": options.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([g for g in groups if g["params"]], lr=options.peak, fused=True)


def rate_at(progress: float, options: TrainingOptions) -> float:
    """The learning rate when a share `progress` of the run is done.

    Args:
        progress: from 0 to 1, by steps or by the clock.
        options: peak, warm-up share and schedule.

    >>> rate_at(0.05, TrainingOptions(learning_rate=1e-4, warmup=0.1))
    5e-05
    """
    peak, warmup = options.peak, options.warmup
    if progress < warmup:
        return peak * progress / warmup
    done = (progress - warmup) / (1 - warmup)
    if options.schedule == "linear":
        return peak * max(1 - done, 0.0)
    if options.schedule == "cosine":
        return peak * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
    return peak
