"""BERT and its many children: MiniLM, BGE, E5, GTE (Devlin et al. 2019)."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

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
from likewise.models.attention import causal, plan_attention
from likewise.models.dropout import drop
from likewise.text.packed import Packed

Positions: TypeAlias = Callable[[Packed], Tensor]


class Bert(nn.Module):
    """Learned absolute positions, a segment for each text of a pair, post-norm layers."""

    norms_after = True

    def __init__(self, config: dict[str, Any], *, positions: Positions = Packed.positions) -> None:
        """Build from a checkpoint's config.json.

        Args:
            config: of the checkpoint.
            positions: from a packed stream to the row of the position table for each token.
        """
        super().__init__()
        self.place = positions
        self.width = int(config["hidden_size"])
        self.dropout = float(config.get("hidden_dropout_prob", 0.1))
        eps = float(config.get("layer_norm_eps", 1e-12))
        self.tokens = nn.Parameter(torch.empty(int(config["vocab_size"]), self.width))
        self.positions = nn.Parameter(
            torch.empty(int(config["max_position_embeddings"]), self.width)
        )
        self.segments = nn.Parameter(torch.empty(int(config["type_vocab_size"]), self.width))
        self.norm = LayerNorm(self.width, eps=eps)
        self.layers = nn.ModuleList(
            PostNormLayer(
                self.width,
                int(config["num_attention_heads"]),
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
        x = F.embedding(packed.ids, self.tokens) + F.embedding(self.place(packed), self.positions)
        if packed.segments is None:  # one text: all of the first segment
            x = x + self.segments[0]
        else:
            x = x + F.embedding(packed.segments, self.segments)
        x = self.norm(x.to(dtype))
        if self.training and self.dropout > 0:
            x = drop(x, self.dropout)
        plan = plan_attention(packed.lengths, device=packed.ids.device)
        kept = kept_rows(packed, first_only=first_only, layers=len(self.layers))
        bias = causal(device=x.device) if between else None
        steps = steps_between(between, len(self.layers))
        for layer, rows, step in zip(self.layers, kept, steps, strict=True):
            x = layer(x, plan, bias, rows, step)
        return x


def bert_names(config: dict[str, Any]) -> Names:
    """Our names to those of a Hugging Face BertModel."""
    names: Names = {
        "tokens": ("embeddings.word_embeddings.weight",),
        "positions": ("embeddings.position_embeddings.weight",),
        "segments": ("embeddings.token_type_embeddings.weight",),
        "norm.weight": ("embeddings.LayerNorm.weight",),
        "norm.bias": ("embeddings.LayerNorm.bias",),
    }
    parts = {
        "attention.out": "attention.output.dense",
        "attention_norm": "attention.output.LayerNorm",
        "up": "intermediate.dense",
        "down": "output.dense",
        "norm": "output.LayerNorm",
    }
    for i in range(int(config["num_hidden_layers"])):
        ours, theirs = f"layers.{i}", f"encoder.layer.{i}"
        for kind in ("weight", "bias"):
            names[f"{ours}.attention.qkv.{kind}"] = tuple(
                f"{theirs}.attention.self.{part}.{kind}" for part in ("query", "key", "value")
            )
            for mine, other in parts.items():
                names[f"{ours}.{mine}.{kind}"] = (f"{theirs}.{other}.{kind}",)
    return names


BERT = Architecture(
    build=Bert, names=bert_names, most_tokens=lambda config: int(config["max_position_embeddings"])
)
