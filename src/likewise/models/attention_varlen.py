"""Attention over a packed stream by a kernel that knows where texts end: no padding, no buckets.

On a GPU this is torch's varlen attention (FlashAttention-2, Dao 2023). The kernel is a parameter,
so that everything around it is held to a plain reference on a CPU.
"""

import inspect
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeAlias, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from likewise.text.transfer import send

# How far a token sees to its left and to its right; -1 for no limit
Window: TypeAlias = tuple[int, int]

EVERYTHING: Window = (-1, -1)
OLDEST = (8, 0)  # compute capability: the kernel is written for Ampere and later
WIDEST_HEAD = 192  # beyond it not every such GPU has the gradient
HEAD_STEP = 8  # the kernel wants heads of a multiple of this


class Kernel(Protocol):
    """Softmax(Q K^T / sqrt(d)) V inside each text; the signature of torch's `varlen_attn`."""

    def __call__(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        cu_seq_q: Tensor,
        cu_seq_k: Tensor,
        max_q: int,
        max_k: int,
        *,
        window_size: Window,
    ) -> Tensor:
        """Three of [T, heads, d] to [T, heads, d]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Where texts begin in a stream, as the kernel wants it.

    Attributes:
        starts: [S + 1] int32, where the stream is.
        longest: tokens of the longest text.
    """

    starts: Tensor
    longest: int


def find_bounds(lengths: Tensor, *, device: torch.device) -> Bounds:
    """Sum up the lengths of S texts.

    Args:
        lengths: [S] tokens a text, on the CPU.
        device: where the stream is.
    """
    starts = F.pad(lengths.cumsum(0), (1, 0)).to(torch.int32)
    return Bounds(starts=send(starts, device), longest=int(lengths.max()))


@lru_cache(maxsize=8)
def find_kernel(device: torch.device) -> Kernel | None:
    """The kernel that runs there, if torch and the hardware have one.

    Args:
        device: where the stream is.

    Returns:
        None on a CPU, on a GPU before Ampere, and with a torch without the kernel or its window.
    """
    if device.type != "cuda" or torch.cuda.get_device_capability(device) < OLDEST:
        return None
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:  # torch before 2.10
        return None
    known = inspect.signature(varlen_attn).parameters
    return cast(Kernel, varlen_attn) if "window_size" in known else None


def suits(qkv: Tensor, *, heads: int, dropout: float) -> bool:
    """Whether the kernel computes this: 16-bit numbers, heads of its sizes, and no dropout.

    Args:
        qkv: [T, 3 H].
        heads: attention heads.
        dropout: probability of dropping an attention weight.
    """
    width = qkv.shape[1] // (3 * heads)
    in_16_bits = qkv.dtype in {torch.float16, torch.bfloat16}
    return in_16_bits and dropout == 0 and width % HEAD_STEP == 0 and width <= WIDEST_HEAD


def attend_packed(
    qkv: Tensor, bounds: Bounds, *, heads: int, kernel: Kernel, window: Window = EVERYTHING
) -> Tensor:
    """Scaled dot-product attention of every text with itself, in the order of the stream.

    Args:
        qkv: [T, 3 H], queries, keys and values side by side.
        bounds: of the texts.
        heads: attention heads; each is H / heads wide.
        kernel: that computes it.
        window: how far a token sees.

    Returns:
        [T, H] in the dtype of `qkv`.
    """
    q, k, v = qkv.view(len(qkv), 3, heads, -1).unbind(1)  # [T, heads, d] each
    starts, longest = bounds.starts, bounds.longest
    mixed = kernel(q, k, v, starts, starts, longest, longest, window_size=window)
    return mixed.reshape(len(qkv), -1)
