"""Matrices in 8-bit integers, for encoding on a CPU: a little less exact, and faster than float32.

Where a CPU multiplies bfloat16 natively, that is as fast (bench/encode.py), and more exact.

Weights are scaled row by row, once; what they are multiplied with is scaled token by token, as it
comes (dynamic quantisation; "vector-wise" in Dettmers et al. 2022, LLM.int8(), section 2.1, without
its outliers). Sums are exact 32-bit integers. All else stays in the dtype of the stream.
"""

from copy import deepcopy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from likewise.errors import InputError
from likewise.models.architectures.layers import Linear
from likewise.models.matmul import ACTIVATIONS

INT8 = "int8"  # as a precision
LEVELS = 127  # on each side of zero
ROWS = 512  # tokens at a time, so that their 32-bit sums stay in the cache


class Int8Linear(nn.Module):
    """x W^T + b with both factors in int8 and one scale for each row of either."""

    weight: Tensor
    scale: Tensor
    bias: Tensor | None

    def __init__(self, linear: Linear) -> None:
        """Round the weights of a layer, which stays as it is."""
        super().__init__()
        weight = linear.weight.detach().float()
        scale = _scale(weight)
        self.register_buffer("weight", (weight / scale).round_().to(torch.int8).t())  # [in, out]
        self.register_buffer("scale", scale.squeeze(1))  # [out]
        bias = None if linear.bias is None else linear.bias.detach().float()
        self.register_buffer("bias", bias)

    def forward(self, x: Tensor, activation: str | None = None) -> Tensor:
        """[T, n_in] to [T, n_out], and through an activation by its name."""
        activate = None if activation is None else ACTIVATIONS[activation]
        out = x.new_empty(len(x), self.weight.shape[1])
        for first in range(0, len(x), ROWS):
            part = x[first : first + ROWS]
            scale = _scale(part.float())
            rounded = (part / scale).round_().to(torch.int8)
            sums = torch._int_mm(rounded, self.weight)
            found = torch.mul(sums, scale).mul_(self.scale)
            found = found if self.bias is None else found.add_(self.bias)
            out[first : first + ROWS] = found if activate is None else activate(found)
        return out


def _scale(rows: Tensor) -> Tensor:
    """[n, 1] what one level is worth in each row; a row of zeros has any."""
    return rows.abs().amax(dim=1, keepdim=True).clamp_(min=1e-8).div_(LEVELS)


def quantised(backbone: nn.Module) -> nn.Module:
    """The same module with its matrices in int8; norms and tables are shared, not copied.

    Args:
        backbone: in float32, on a CPU, of an architecture of ours.

    Returns:
        In evaluation mode; it cannot be trained.

    Raises:
        InputError: another device, or no matrix of ours.
    """
    if any(parameter.device.type != "cpu" for parameter in backbone.parameters()):
        mend = 'use "bfloat16", or the device "cpu"'
        raise InputError("int8 is for a CPU, and the model is elsewhere", mend=mend)
    if not any(isinstance(module, Linear) for module in backbone.modules()):
        problem = "this model has no matrices that int8 could make faster"
        raise InputError(problem, mend='use "auto", "float32" or "bfloat16"')
    shared = {id(tensor): tensor for tensor in (*backbone.parameters(), *backbone.buffers())}
    copied = deepcopy(backbone, shared).eval()
    for module in list(copied.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, Linear):
                setattr(module, name, Int8Linear(child))
    return copied


def loss_of_quality(exact: NDArray[np.float32], found: NDArray[np.float32]) -> tuple[float, float]:
    """The mean and the lowest cosine between vectors of the same texts.

    Args:
        exact: [n, D], in float32.
        found: [n, D], at another precision.
    """
    a, b = exact.astype(np.float64), found.astype(np.float64)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosines = (a * b).sum(axis=1) / lengths.clip(min=1e-12)
    return float(cosines.mean()), float(cosines.min())
