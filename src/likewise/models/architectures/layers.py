"""The bricks of every encoder: they work on a stream [T, width] in the dtype that comes in.

Weights are float32 masters and are cast to the stream's dtype where they are used, so that
bfloat16 training updates full-precision weights (mixed precision, Micikevicius et al. 2018).
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from likewise.models.attention import Bias, Plan, attend
from likewise.models.dropout import drop
from likewise.models.matmul import check_activation, linear
from likewise.text.packed import Packed
from likewise.text.transfer import send

# Of a layer that decodes: what happens to its [T, H] between attention and feed-forward
Between: TypeAlias = Callable[[Tensor], Tensor]


@runtime_checkable
class Decodes(Protocol):
    """A backbone that can also write a text, one step between each layer's two halves.

    Attributes:
        width: H.
        dropout: of hidden states.
        tokens: [V, H], the table of token embeddings.
        norm: of the embeddings; its eps is that of every norm.
        layers: in order.
        norms_after: whether a layer normalises behind each residual, not before each half.
    """

    width: int
    dropout: float
    tokens: nn.Parameter
    norm: "LayerNorm"
    layers: nn.ModuleList
    norms_after: bool

    def __call__(
        self, packed: Packed, *, dtype: torch.dtype = ..., between: Sequence[Between] = ...
    ) -> Tensor:
        """Hidden states [T, H]; with a step for each layer no token sees one behind it."""


class Linear(nn.Module):
    """x W^T + b in the dtype of x."""

    def __init__(self, n_in: int, n_out: int, *, bias: bool = True) -> None:
        """Leave the weights empty: they are read from a folder or drawn by `initialise`."""
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_out, n_in))
        self.bias = nn.Parameter(torch.empty(n_out)) if bias else None

    def forward(self, x: Tensor, activation: str | None = None) -> Tensor:
        """[T, n_in] to [T, n_out], and through an activation by its name."""
        return linear(x, self.weight, self.bias, activation=activation)


class LayerNorm(nn.Module):
    """Normalisation over the width, computed in float32 inside."""

    def __init__(self, width: int, *, eps: float, bias: bool = True) -> None:
        """Start as the identity scale."""
        super().__init__()
        self.width = width
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """[T, width] to [T, width]."""
        bias = None if self.bias is None else self.bias.to(x.dtype)
        return F.layer_norm(x, (self.width,), self.weight.to(x.dtype), bias, self.eps)


class SelfAttention(nn.Module):
    """Multi-head self-attention with fused queries, keys and values (Vaswani et al. 2017)."""

    def __init__(self, width: int, heads: int, *, dropout: float, bias: bool = True) -> None:
        """Set sizes; `dropout` is of the attention weights."""
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.qkv = Linear(width, 3 * width, bias=bias)
        self.out = Linear(width, width, bias=bias)

    def forward(
        self, x: Tensor, plan: Plan, bias: Bias | None = None, kept: Tensor | None = None
    ) -> Tensor:
        """[T, H] to [T, H], or to the rows `kept` of it."""
        dropout = self.dropout if self.training else 0.0
        mixed = attend(self.qkv(x), plan, heads=self.heads, dropout=dropout, bias=bias)
        return self.out(keep(mixed, kept))  # type: ignore[no-any-return]  # a module's call is untyped


class PostNormLayer(nn.Module):
    """The layer of BERT, RoBERTa, DistilBERT and MPNet: normalise after each residual."""

    def __init__(
        self,
        width: int,
        heads: int,
        inner: int,
        *,
        activation: str,
        eps: float,
        dropout: float,
        attention_dropout: float,
    ) -> None:
        """Set sizes; the names are the paper's, not any checkpoint's."""
        super().__init__()
        self.dropout = dropout
        self.activation = check_activation(activation)
        self.attention = SelfAttention(width, heads, dropout=attention_dropout)
        self.attention_norm = LayerNorm(width, eps=eps)
        self.up = Linear(width, inner)
        self.down = Linear(inner, width)
        self.norm = LayerNorm(width, eps=eps)

    def forward(
        self,
        x: Tensor,
        plan: Plan,
        bias: Bias | None = None,
        kept: Tensor | None = None,
        between: Between | None = None,
    ) -> Tensor:
        """[T, H] to [T, H], or to the rows `kept` of it, which costs a last layer little."""
        mixed = self.attention(x, plan, bias, kept)
        x = self.attention_norm(keep(x, kept) + self._drop(mixed))
        if between is not None:
            x = between(x)
        return self.norm(x + self._drop(self.down(self.up(x, self.activation))))  # type: ignore[no-any-return]  # a module's call is untyped

    def _drop(self, x: Tensor) -> Tensor:
        return drop(x, self.dropout) if self.training and self.dropout > 0 else x


def keep(x: Tensor, rows: Tensor | None) -> Tensor:
    """Those rows of x, in their order; of None all."""
    return x if rows is None else x.index_select(0, rows)


def kept_rows(packed: Packed, *, first_only: bool, layers: int) -> list[Tensor | None]:
    """Which rows each layer has to give: all, but the last the first token of each text alone.

    Args:
        packed: S texts.
        first_only: whether no more than the first tokens' states is wanted.
        layers: how many there are.

    Returns:
        One entry a layer: [S] int64, or None for all rows.
    """
    firsts = send(packed.starts[:-1], packed.ids.device) if first_only else None
    return [None] * (layers - 1) + [firsts]


def steps_between(between: Sequence[Between], layers: int) -> Sequence[Between | None]:
    """One entry a layer: the steps of a decoder, or None each for an encoder.

    Args:
        between: a step for each layer, or none at all.
        layers: how many there are.
    """
    if between and len(between) != layers:
        raise ValueError(f"{layers} layers need as many steps between their halves, or none")
    return between or [None] * layers


def initialise(module: nn.Module, *, std: float, generator: torch.Generator) -> None:
    """Draw all matrices from N(0, std²), set biases to 0 and norms to the identity (BERT's way)."""
    for name, parameter in module.named_parameters():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=std, generator=generator)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)
        else:
            nn.init.ones_(parameter)
