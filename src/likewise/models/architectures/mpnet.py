"""MPNet: BERT's layers with relative positions in the attention (Song et al. 2020)."""

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from likewise.models.architectures.architecture import Architecture
from likewise.models.architectures.layers import (
    Between,
    LayerNorm,
    PostNormLayer,
    kept_rows,
    steps_between,
)
from likewise.models.architectures.names import Names
from likewise.models.architectures.roberta import counted_positions
from likewise.models.attention import Bias, causal, plan_attention
from likewise.models.dropout import drop
from likewise.text.packed import Packed

PADDING_ID = 1  # fixed in the original code, whatever the configuration says
MAX_DISTANCE = 128
BUCKETS = 32


class Mpnet(nn.Module):
    """Counted absolute positions, no segments, one table of relative positions for all layers."""

    norms_after = True

    def __init__(self, config: dict[str, Any]) -> None:
        """Build from a checkpoint's config.json."""
        super().__init__()
        self.width = int(config["hidden_size"])
        self.dropout = float(config.get("hidden_dropout_prob", 0.1))
        heads = int(config["num_attention_heads"])
        eps = float(config.get("layer_norm_eps", 1e-12))
        buckets = int(config.get("relative_attention_num_buckets", BUCKETS))
        self.tokens = nn.Parameter(torch.empty(int(config["vocab_size"]), self.width))
        self.positions = nn.Parameter(
            torch.empty(int(config["max_position_embeddings"]), self.width)
        )
        self.relative = nn.Parameter(torch.empty(buckets, heads))
        self.norm = LayerNorm(self.width, eps=eps)
        self.layers = nn.ModuleList(
            PostNormLayer(
                self.width,
                heads,
                int(config["intermediate_size"]),
                activation=config.get("hidden_act", "gelu"),
                eps=eps,
                dropout=self.dropout,
                attention_dropout=float(config.get("attention_probs_dropout_prob", 0.1)),
            )
            for _ in range(int(config["num_hidden_layers"]))
        )

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
        places = counted_positions(packed, padding_id=PADDING_ID)
        x = F.embedding(packed.ids, self.tokens) + F.embedding(places, self.positions)
        x = self.norm(x.to(dtype))
        if self.training and self.dropout > 0:
            x = drop(x, self.dropout)
        plan = plan_attention(packed.lengths, device=packed.ids.device)
        kept = kept_rows(packed, first_only=first_only, layers=len(self.layers))
        bias = causal(self._bias(), device=x.device) if between else self._bias()
        steps = steps_between(between, len(self.layers))
        for layer, rows, step in zip(self.layers, kept, steps, strict=True):
            x = layer(x, plan, bias, rows, step)
        return x

    def _bias(self) -> Bias:
        """From L to [heads, L, L], computed once a forward pass for all layers."""
        known: dict[int, Tensor] = {}

        def bias(length: int) -> Tensor:
            if length not in known:
                buckets = relative_buckets(length).to(self.relative.device)
                known[length] = F.embedding(buckets, self.relative).permute(2, 0, 1)
            return known[length]

        return bias


def relative_buckets(length: int) -> Tensor:
    """The bucket of each (query, key) distance: exact when near, by logarithm when far.

    Args:
        length: L.

    Returns:
        [L, L] int64 from 0 to 31: 0–15 for keys before the query or at it, 16–31 after it
        (Raffel et al. 2020, section 2.1, as in T5).
    """
    half = BUCKETS // 2
    exact = half // 2
    places = torch.arange(length)
    ahead = places[None, :] - places[:, None]  # key minus query
    distance = ahead.abs()
    scale = (half - exact) / math.log(MAX_DISTANCE / exact)
    far = exact + (torch.log(distance.clamp(min=1).float() / exact) * scale).long()
    near_or_far = torch.where(distance < exact, distance, far.clamp(max=half - 1))
    return near_or_far + half * (ahead > 0)


def mpnet_names(config: dict[str, Any]) -> Names:
    """Our names to those of a Hugging Face MPNetModel."""
    names: Names = {
        "tokens": ("embeddings.word_embeddings.weight",),
        "positions": ("embeddings.position_embeddings.weight",),
        "norm.weight": ("embeddings.LayerNorm.weight",),
        "norm.bias": ("embeddings.LayerNorm.bias",),
        "relative": ("encoder.relative_attention_bias.weight",),
    }
    parts = {
        "attention.out": "attention.attn.o",
        "attention_norm": "attention.LayerNorm",
        "up": "intermediate.dense",
        "down": "output.dense",
        "norm": "output.LayerNorm",
    }
    for i in range(int(config["num_hidden_layers"])):
        ours, theirs = f"layers.{i}", f"encoder.layer.{i}"
        for kind in ("weight", "bias"):
            names[f"{ours}.attention.qkv.{kind}"] = tuple(
                f"{theirs}.attention.attn.{part}.{kind}" for part in "qkv"
            )
            for mine, other in parts.items():
                names[f"{ours}.{mine}.{kind}"] = (f"{theirs}.{other}.{kind}",)
    return names


MPNET = Architecture(
    build=Mpnet,
    names=mpnet_names,
    most_tokens=lambda config: int(config["max_position_embeddings"]) - PADDING_ID - 1,
)
