"""DistilBERT: BERT without segments, and with half the layers (Sanh et al. 2019)."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from likewise.models.architectures.architecture import Architecture
from likewise.models.architectures.layers import (
    Between,
    LayerNorm,
    PostNormLayer,
    keep,
    kept_rows,
    steps_between,
)
from likewise.models.architectures.names import Names
from likewise.models.attention import causal, plan_attention
from likewise.models.dropout import drop
from likewise.text.packed import Packed

EPS = 1e-12  # fixed in the original code, in no configuration


class DistilBert(nn.Module):
    """Absolute positions and post-norm layers, whose attention's output is not dropped."""

    norms_after = True

    def __init__(self, config: dict[str, Any]) -> None:
        """Build from a checkpoint's config.json."""
        super().__init__()
        self.width = int(config["dim"])
        self.dropout = float(config.get("dropout", 0.1))
        self.tokens = nn.Parameter(torch.empty(int(config["vocab_size"]), self.width))
        self.positions = nn.Parameter(
            torch.empty(int(config["max_position_embeddings"]), self.width)
        )
        self.norm = LayerNorm(self.width, eps=EPS)
        self.layers = nn.ModuleList(
            PostNormLayer(
                self.width,
                int(config["n_heads"]),
                int(config["hidden_dim"]),
                activation=config.get("activation", "gelu"),
                eps=EPS,
                dropout=self.dropout,
                attention_dropout=float(config.get("attention_dropout", 0.1)),
            )
            for _ in range(int(config["n_layers"]))
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
        x = F.embedding(packed.ids, self.tokens) + F.embedding(packed.positions(), self.positions)
        x = self._drop(self.norm(x.to(dtype)))
        plan = plan_attention(packed.lengths, device=packed.ids.device)
        kept = kept_rows(packed, first_only=first_only, layers=len(self.layers))
        layers = cast("Iterable[PostNormLayer]", self.layers)
        bias = causal(device=x.device) if between else None
        steps = steps_between(between, len(self.layers))
        for layer, rows, step in zip(layers, kept, steps, strict=True):
            x = layer.attention_norm(keep(x, rows) + layer.attention(x, plan, bias, rows))
            x = x if step is None else step(x)
            x = layer.norm(x + self._drop(layer.down(layer.up(x, layer.activation))))
        return x

    def _drop(self, x: Tensor) -> Tensor:
        return drop(x, self.dropout) if self.training and self.dropout > 0 else x


def distilbert_names(config: dict[str, Any]) -> Names:
    """Our names to those of a Hugging Face DistilBertModel."""
    names: Names = {
        "tokens": ("embeddings.word_embeddings.weight",),
        "positions": ("embeddings.position_embeddings.weight",),
        "norm.weight": ("embeddings.LayerNorm.weight",),
        "norm.bias": ("embeddings.LayerNorm.bias",),
    }
    parts = {
        "attention.out": "attention.out_lin",
        "attention_norm": "sa_layer_norm",
        "up": "ffn.lin1",
        "down": "ffn.lin2",
        "norm": "output_layer_norm",
    }
    for i in range(int(config["n_layers"])):
        ours, theirs = f"layers.{i}", f"transformer.layer.{i}"
        for kind in ("weight", "bias"):
            names[f"{ours}.attention.qkv.{kind}"] = tuple(
                f"{theirs}.attention.{part}_lin.{kind}" for part in "qkv"
            )
            for mine, other in parts.items():
                names[f"{ours}.{mine}.{kind}"] = (f"{theirs}.{other}.{kind}",)
    return names


DISTILBERT = Architecture(
    build=DistilBert,
    names=distilbert_names,
    most_tokens=lambda config: int(config["max_position_embeddings"]),
)
