"""ModernBERT: pre-norm, rotary positions, gated units, local attention (Warner et al. 2024)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from likewise.errors import InputError
from likewise.models.architectures.architecture import Architecture
from likewise.models.architectures.layers import (
    Between,
    LayerNorm,
    Linear,
    keep,
    kept_rows,
    steps_between,
)
from likewise.models.architectures.names import Names
from likewise.models.attention import Bias, Plan, Windowed, attend, causal, plan_attention
from likewise.models.dropout import drop
from likewise.models.matmul import ACTIVATIONS, check_activation
from likewise.text.packed import Packed

GLOBAL_THETA, LOCAL_THETA = 160_000.0, 10_000.0
GLOBAL, LOCAL = "full_attention", "sliding_attention"
# Low enough that exp gives 0, yet finite: a padding cell whose whole window is padding keeps
# numbers, and so do the gradients through it.
OUTSIDE = -1e4


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What a layer's attention sees: rotations [T, d] of its own period, and its window."""

    cosines: Tensor
    sines: Tensor
    window: Bias | None


class RotaryAttention(nn.Module):
    """Self-attention whose queries and keys are rotated by their places (Su et al. 2021)."""

    def __init__(self, width: int, heads: int, *, dropout: float, bias: bool) -> None:
        """Set sizes; `dropout` is of the attention weights and of the output."""
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.qkv = Linear(width, 3 * width, bias=bias)
        self.out = Linear(width, width, bias=bias)

    def forward(self, x: Tensor, plan: Plan, reach: Reach, kept: Tensor | None = None) -> Tensor:
        """[T, H] to [T, H], or to the rows `kept` of it."""
        dropout = self.dropout if self.training else 0.0
        rows, width = x.shape
        parts = self.qkv(x).view(rows, 3 * self.heads, -1)
        turned, values = parts.split([2 * self.heads, self.heads], dim=1)
        turned = rotate(turned, reach.cosines, reach.sines)
        qkv = torch.cat([turned, values], dim=1).view(rows, 3 * width)
        mixed = attend(qkv, plan, heads=self.heads, dropout=dropout, bias=reach.window)
        return _drop(self.out(keep(mixed, kept)), dropout)


class PreNormLayer(nn.Module):
    """Attention and a gated unit (GeGLU, Shazeer 2020), each normalised before, not after."""

    def __init__(self, config: Mapping[str, Any], *, is_first: bool) -> None:
        """Build from a checkpoint's config.json; the first layer's input is normalised already."""
        super().__init__()
        width, inner = int(config["hidden_size"]), int(config["intermediate_size"])
        mlp_bias = bool(config.get("mlp_bias", False))
        self.dropout = float(config.get("mlp_dropout", 0.0))
        self.activation = check_activation(config.get("hidden_activation", "gelu"))
        self.attention_norm = nn.Identity() if is_first else _norm(config)
        self.attention = RotaryAttention(
            width,
            int(config["num_attention_heads"]),
            dropout=float(config.get("attention_dropout", 0.0)),
            bias=bool(config.get("attention_bias", False)),
        )
        self.norm = _norm(config)
        self.up = Linear(width, 2 * inner, bias=mlp_bias)
        self.down = Linear(inner, width, bias=mlp_bias)

    def forward(
        self,
        x: Tensor,
        plan: Plan,
        reach: Reach,
        kept: Tensor | None = None,
        between: Between | None = None,
    ) -> Tensor:
        """[T, H] to [T, H], or to the rows `kept` of it, which costs a last layer little."""
        mixed = self.attention(self.attention_norm(x), plan, reach, kept)
        x = keep(x, kept) + mixed
        if between is not None:
            x = between(x)
        value, gate = self.up(self.norm(x)).chunk(2, dim=-1)
        inner = _drop(
            ACTIVATIONS[self.activation](value) * gate, self.dropout if self.training else 0.0
        )
        return x + self.down(inner)  # type: ignore[no-any-return]  # a module's call is untyped


class ModernBert(nn.Module):
    """No absolute positions: most layers see a window, every third one the whole text."""

    norms_after = False

    def __init__(self, config: dict[str, Any]) -> None:
        """Build from a checkpoint's config.json."""
        super().__init__()
        self.width = int(config["hidden_size"])
        self.head_width = self.width // int(config["num_attention_heads"])
        self.dropout = float(config.get("embedding_dropout", 0.0))
        self.half_window = int(config.get("local_attention", 128)) // 2
        self.reaches = layer_reaches(config)
        self.thetas = {reach: rotation_base(config, reach) for reach in (GLOBAL, LOCAL)}
        self.tokens = nn.Parameter(torch.empty(int(config["vocab_size"]), self.width))
        self.norm = _norm(config)
        self.layers = nn.ModuleList(
            PreNormLayer(config, is_first=i == 0) for i in range(len(self.reaches))
        )
        self.final_norm = _norm(config)

    def forward(
        self,
        packed: Packed,
        *,
        dtype: torch.dtype = torch.float32,
        first_only: bool = False,
        between: Sequence[Between] = (),
    ) -> Tensor:
        """Hidden states [T, H] of a packed stream, in `dtype`; or [S, H] of the first tokens.

        With a step `between` the halves of each layer the attention looks back only.
        """
        x = self.norm(F.embedding(packed.ids, self.tokens).to(dtype))
        x = _drop(x, self.dropout if self.training else 0.0)
        plan = plan_attention(packed.lengths, device=packed.ids.device)
        places = packed.positions()
        window = window_bias(self.half_window, x.device)
        both = (causal(device=x.device), causal(window, device=x.device))
        full, local = both if between else (None, window)
        reaches = {
            GLOBAL: self._reach(GLOBAL, places, full),
            LOCAL: self._reach(LOCAL, places, local),
        }
        kept = kept_rows(packed, first_only=first_only, layers=len(self.layers))
        steps = steps_between(between, len(self.layers))
        for layer, reach, rows, step in zip(self.layers, self.reaches, kept, steps, strict=True):
            x = layer(x, plan, reaches[reach], rows, step)
        return self.final_norm(x)  # type: ignore[no-any-return]  # a module's call is untyped

    def _reach(self, name: str, places: Tensor, window: Bias | None) -> Reach:
        steps = torch.arange(0, self.head_width, 2, device=places.device).float() / self.head_width
        angles = places[:, None].float() * (1.0 / self.thetas[name] ** steps)  # [T, d / 2]
        both = torch.cat([angles, angles], dim=-1)
        return Reach(cosines=both.cos(), sines=both.sin(), window=window)


def rotate(x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Turn each pair (x[i], x[i + d/2]) by its token's angle, in float32.

    Args:
        x: [T, heads, d], any float dtype.
        cosines: [T, d] float32.
        sines: [T, d] float32.

    Returns:
        [T, heads, d] in the dtype of `x`.
    """
    wide = x.float()
    left, right = wide.chunk(2, dim=-1)
    crossed = torch.cat([-right, left], dim=-1)
    return (wide * cosines[:, None] + crossed * sines[:, None]).to(x.dtype)


def window_bias(half: int, device: torch.device) -> Bias:
    """From L to [1, L, L]: 0 within `half` tokens on either side, else nothing is seen."""
    known: dict[int, Tensor] = {}

    def bias(length: int) -> Tensor:
        if length not in known:
            places = torch.arange(length, device=device)
            outside = (places[None, :] - places[:, None]).abs() > half
            known[length] = torch.zeros(1, length, length, device=device).masked_fill(
                outside, OUTSIDE
            )
        return known[length]

    return Windowed(bias, (half, half))


def layer_reaches(config: Mapping[str, Any]) -> list[str]:
    """What each layer sees: stated in newer configurations, every n-th the whole in older ones."""
    stated = config.get("layer_types")
    if stated is not None:
        return [str(reach) for reach in stated]
    every = int(config.get("global_attn_every_n_layers", 3))
    return [LOCAL if i % every else GLOBAL for i in range(int(config["num_hidden_layers"]))]


def rotation_base(config: Mapping[str, Any], reach: str) -> float:
    """The base of the rotations' periods, in either way of stating it.

    Raises:
        InputError: rotations stretched for longer texts (YaRN and the like).
    """
    stated = dict((config.get("rope_parameters") or {}).get(reach) or {})
    kind = stated.get("rope_type", "default")
    if kind != "default" or config.get("rope_scaling"):
        problem = f'ModernBERT with stretched rotations ("{kind}") is not supported'
        raise InputError(problem, mend="use a model with rope_type default")
    old = config.get("global_rope_theta" if reach == GLOBAL else "local_rope_theta")
    base = stated.get("rope_theta", old)
    return float(base if base is not None else GLOBAL_THETA if reach == GLOBAL else LOCAL_THETA)


def modernbert_names(config: dict[str, Any]) -> Names:
    """Our names to those of a Hugging Face ModernBertModel."""
    names: Names = {"tokens": ("embeddings.tok_embeddings.weight",)}
    norms = ["weight", "bias"] if config.get("norm_bias", False) else ["weight"]
    kinds = {
        "attention": ["weight", "bias"] if config.get("attention_bias", False) else ["weight"],
        "mlp": ["weight", "bias"] if config.get("mlp_bias", False) else ["weight"],
    }
    for kind in norms:
        names[f"norm.{kind}"] = (f"embeddings.norm.{kind}",)
        names[f"final_norm.{kind}"] = (f"final_norm.{kind}",)
    for i in range(len(layer_reaches(config))):
        layer = f"layers.{i}"
        for kind in norms:
            names[f"{layer}.norm.{kind}"] = (f"{layer}.mlp_norm.{kind}",)
            if i > 0:
                names[f"{layer}.attention_norm.{kind}"] = (f"{layer}.attn_norm.{kind}",)
        for kind in kinds["attention"]:
            names[f"{layer}.attention.qkv.{kind}"] = (f"{layer}.attn.Wqkv.{kind}",)
            names[f"{layer}.attention.out.{kind}"] = (f"{layer}.attn.Wo.{kind}",)
        for kind in kinds["mlp"]:
            names[f"{layer}.up.{kind}"] = (f"{layer}.mlp.Wi.{kind}",)
            names[f"{layer}.down.{kind}"] = (f"{layer}.mlp.Wo.{kind}",)
    return names


def _norm(config: Mapping[str, Any]) -> LayerNorm:
    eps, bias = float(config.get("norm_eps", 1e-5)), bool(config.get("norm_bias", False))
    return LayerNorm(int(config["hidden_size"]), eps=eps, bias=bias)


def _drop(x: Tensor, probability: float) -> Tensor:
    return drop(x, probability) if probability > 0 else x


MODERNBERT = Architecture(
    build=ModernBert,
    names=modernbert_names,
    most_tokens=lambda config: int(config["max_position_embeddings"]),
)
