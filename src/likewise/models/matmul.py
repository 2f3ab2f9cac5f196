"""x W^T + b on a CPU, by oneDNN's kernels with the weights in the layout that suits them.

torch's own linear leaves float32 to MKL, and hands oneDNN the rows of bfloat16 weights as they
stand. Reordered first, though it be anew in every call, they save an eighth of the time; and in
inference mode an activation is applied before the sums leave the registers. The operators are those
that torch.compile makes of a linear layer; where a build of torch lacks them, its own linear does
the same.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Final, TypeAlias, cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_new": lambda x: F.gelu(x, approximate="tanh"),
    "gelu_pytorch_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "relu": F.relu,
    "silu": F.silu,
    "tanh": torch.tanh,
}
# How oneDNN calls an activation, and which form of it; its relu makes 0 of NaN, and is left out
FUSED: Final = {
    None: ("none", ""),
    "gelu": ("gelu", "none"),
    "gelu_new": ("gelu", "tanh"),
    "gelu_pytorch_tanh": ("gelu", "tanh"),
}
# Rows of x from where on reordering the weights is paid back
FEWEST_ROWS: Final = 256
DIMENSIONS: Final = 2
# By a weight's id, its version and a dtype: the weight, so that no other takes its id, and it again
Kept: TypeAlias = dict[tuple[int, int, torch.dtype], tuple[Tensor, Tensor]]

# Of each thread, and a cache alone: results are the same without it
_KEPT: ContextVar[Kept | None] = ContextVar("kept", default=None)


def check_activation(name: str) -> str:
    """The name itself; a KeyError where ACTIVATIONS lack it."""
    if name not in ACTIVATIONS:
        raise KeyError(name)
    return name


@contextmanager
def keep_reordered() -> Iterator[None]:
    """Reorder each weight once for all calls inside that need no gradients.

    Until the end there are two copies of every matrix, the second in the dtype of the stream.
    """
    token = _KEPT.set({})
    try:
        yield
    finally:
        _KEPT.reset(token)


def linear(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, *, activation: str | None = None
) -> Tensor:
    """X W^T + b in the dtype of x, with gradients where they are enabled, of the first order.

    With gradients and without, but for inference mode, the same bits come out.

    Args:
        x: [T, n_in].
        weight: [n_out, n_in].
        bias: [n_out].
        activation: name in ACTIVATIONS of what is applied to it; None for nothing.

    Returns:
        [T, n_out].
    """
    offset = None if bias is None else bias.to(x.dtype).contiguous()  # oneDNN knows no strides here
    out: Tensor
    if not _suits(x):
        out = F.linear(x, weight.to(x.dtype), offset)
    elif torch.is_grad_enabled():
        out = _Linear.apply(x, weight.to(x.dtype), offset)  # type: ignore[no-untyped-call]  # torch's own
    elif torch.is_inference_mode_enabled() and activation in FUSED:
        return _multiply(x, _reordered(x, weight), offset, activation)
    else:
        out = _multiply(x, _reordered(x, weight), offset)
    return out if activation is None else ACTIVATIONS[activation](out)


class _Linear(torch.autograd.Function):
    """The same with gradients.

    In bfloat16 they are torch's own products: to reorder transposed weights costs what it saves.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _multiply(x, _reorder(weight, len(x)), bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        (gradient,) = gradients
        of_x, of_weight, of_bias = ctx.needs_input_grad
        return (
            _of_input(gradient, weight) if of_x else None,
            gradient.t() @ x if of_weight else None,
            gradient.sum(0) if of_bias else None,
        )


def _of_input(gradient: Tensor, weight: Tensor) -> Tensor:
    if weight.dtype == torch.bfloat16:
        return gradient @ weight
    return _multiply(gradient, _reorder(weight.t(), len(gradient)), None)


def _multiply(
    x: Tensor, reordered: Tensor, bias: Tensor | None, activation: str | None = None
) -> Tensor:
    kind, form = FUSED[activation]
    out: Tensor = torch.ops.mkldnn._linear_pointwise(x, reordered, bias, kind, [], form)
    return out


def _reordered(x: Tensor, weight: Tensor) -> Tensor:
    """The weight in the dtype of x, reordered; that of an earlier call where it is kept."""
    kept = _KEPT.get()
    if kept is None:
        return _reorder(weight.to(x.dtype), len(x))
    key = id(weight), 0 if weight.is_inference() else weight._version, x.dtype
    if key not in kept:
        kept[key] = weight, _reorder(weight.to(x.dtype), len(x))
    return kept[key][1]


def _reorder(weight: Tensor, rows: int) -> Tensor:
    reordered: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight, rows)
    return reordered


def _suits(x: Tensor) -> bool:
    is_stream = x.dim() == DIMENSIONS and len(x) >= FEWEST_ROWS
    is_here = x.device.type == "cpu" and x.dtype in _dtypes()
    is_on = cast("bool", torch.backends.mkldnn.enabled)  # a property that torch leaves untyped
    return is_stream and is_here and is_on and not torch.is_autocast_enabled("cpu")


@lru_cache(maxsize=1)
def _dtypes() -> frozenset[torch.dtype]:
    """What oneDNN multiplies here; nothing where the operators are not there."""
    operators = torch.ops.mkldnn
    names = ("_reorder_linear_weight", "_linear_pointwise", "_is_mkldnn_bf16_supported")
    has_onednn = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]  # torch's own
    if not has_onednn or not all(hasattr(operators, name) for name in names):
        return frozenset()
    has_bfloat16 = operators._is_mkldnn_bf16_supported()
    return frozenset([torch.float32, *([torch.bfloat16] if has_bfloat16 else [])])
