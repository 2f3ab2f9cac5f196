"""Dropout (Srivastava et al. 2014) whose masks cost a CPU little to draw."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

BITS = 16  # of each draw: probabilities are taken to the nearest of 2^16


class _Drop(torch.autograd.Function):
    """x times a mask of 0 and 1 / (1 - p), of which alone the gradient needs to know."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dropped: int) -> Tensor:
        draws = torch.empty((x.numel() + 3) // 4, dtype=torch.int64)
        draws.random_(-(2**63), None)  # four draws a word
        bits = draws.view(torch.int16)[: x.numel()].view(x.shape)
        mask = bits.ge_(dropped - 2 ** (BITS - 1)).to(x.dtype)
        mask.mul_(1 / (1 - dropped / 2**BITS))
        ctx.save_for_backward(mask)
        return x * mask

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (mask,) = ctx.saved_tensors
        return gradients[0] * mask, None


def drop(x: Tensor, probability: float) -> Tensor:
    """Set elements of x to zero at random, and scale the others so that the mean stays.

    On a CPU torch draws one Bernoulli variable after another, which costs a fifth of a training
    step in bfloat16. Here four draws are cut out of each 64 random bits of the same generator,
    so that a seed or a restored state gives the same masks.

    Args:
        x: of any shape.
        probability: of an element to be dropped, from 0 to 1; on a CPU to the nearest 1 / 65,536,
            with the scale that belongs to it.
    """
    dropped = round(probability * 2**BITS)
    if x.device.type != "cpu" or dropped >= 2**BITS:
        return F.dropout(x, probability)
    if dropped == 0:
        return x
    result: Tensor = _Drop.apply(x, dropped)  # type: ignore[no-untyped-call]  # torch's own
    return result
