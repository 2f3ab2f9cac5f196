"""The head of a masked language model: a token's state to its likeness to every token there is.

All families have the same: a dense layer, an activation, a norm, and the table of the token
embeddings once more (Devlin et al. 2019). What differs is how a checkpoint calls them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import torch
from torch import Tensor, nn

from likewise.models.architectures.layers import LayerNorm, Linear
from likewise.models.architectures.names import Names
from likewise.models.matmul import check_activation


class MlmHead(nn.Module):
    """Dense, activation, norm; then the tokens' own table, or one of the head's, and a bias."""

    def __init__(self, family: "MlmFamily", config: Mapping[str, Any]) -> None:
        """Set sizes; the weights are read from a folder or drawn."""
        super().__init__()
        width, vocabulary = int(config[family.width]), int(config["vocab_size"])
        self.activation = check_activation(family.activation(config))
        self.dense = Linear(width, width, bias=family.has_dense_bias(config))
        self.norm = LayerNorm(width, eps=family.eps(config), bias=family.has_norm_bias(config))
        has_bias = bool(config.get("decoder_bias", True))
        self.bias = nn.Parameter(torch.empty(vocabulary)) if has_bias else None
        is_tied = bool(config.get("tie_word_embeddings", True))
        self.table = None if is_tied else nn.Parameter(torch.empty(vocabulary, width))

    def forward(self, states: Tensor) -> Tensor:
        """[N, H] to [N, H], ready to be compared with the table, in the dtype that comes in."""
        return self.norm(self.dense(states, self.activation))  # type: ignore[no-any-return]  # a module's call is untyped

    def rows(self, tokens: Tensor) -> Tensor:
        """[V, H] what states are compared with: the encoder's `tokens`, where they are tied."""
        return tokens if self.table is None else self.table

    def logits(self, states: Tensor, tokens: Tensor) -> Tensor:
        """[N, H] to [N, V] float32, `tokens` being the encoder's table."""
        found: Tensor = (self(states) @ self.rows(tokens).to(states.dtype).T).float()
        return found if self.bias is None else found + self.bias


@dataclass(frozen=True, slots=True, kw_only=True)
class MlmFamily:
    """How one family's checkpoints call the head, and what theirs is set to.

    Attributes:
        architecture: the class of transformers that reads the checkpoint.
        prefix: what a checkpoint puts before the names of the encoder's weights.
        dense: name of the dense layer.
        norm: name of the norm.
        decoder: name of the last layer.
        bias: name of its bias, where the layer is the table of tokens; one of its own has its own.
        width: key of H in the configuration.
        activation: from the configuration to a name in ACTIVATIONS.
        eps: from the configuration to that of the norm.
        has_dense_bias: from the configuration.
        has_norm_bias: from the configuration.
    """

    architecture: str
    prefix: str
    dense: str
    norm: str
    decoder: str
    bias: str
    width: str = "hidden_size"
    activation: Callable[[Mapping[str, Any]], str] = lambda _: "gelu"
    eps: Callable[[Mapping[str, Any]], float] = lambda config: float(
        config.get("layer_norm_eps", 1e-12)
    )
    has_dense_bias: Callable[[Mapping[str, Any]], bool] = lambda _: True
    has_norm_bias: Callable[[Mapping[str, Any]], bool] = lambda _: True

    def names(self, head: MlmHead) -> Names:
        """The head's weights by our names and the checkpoint's."""
        theirs = {
            "dense.weight": f"{self.dense}.weight",
            "dense.bias": f"{self.dense}.bias",
            "norm.weight": f"{self.norm}.weight",
            "norm.bias": f"{self.norm}.bias",
            "bias": self.bias if head.table is None else f"{self.decoder}.bias",
            "table": f"{self.decoder}.weight",
        }
        return {ours: (theirs[ours],) for ours in head.state_dict()}


def _of_roberta(architecture: str, *, prefix: str = "roberta.") -> MlmFamily:
    return MlmFamily(
        architecture=architecture,
        prefix=prefix,
        dense="lm_head.dense",
        norm="lm_head.layer_norm",
        decoder="lm_head.decoder",
        bias="lm_head.bias",
    )


# By the `model_type` of config.json; a family that is not here has no head that could be trained
MLM_FAMILIES: Final[Mapping[str, MlmFamily]] = MappingProxyType(
    {
        "bert": MlmFamily(
            architecture="BertForMaskedLM",
            prefix="bert.",
            dense="cls.predictions.transform.dense",
            norm="cls.predictions.transform.LayerNorm",
            decoder="cls.predictions.decoder",
            bias="cls.predictions.bias",
            activation=lambda config: str(config.get("hidden_act", "gelu")),
        ),
        "roberta": _of_roberta("RobertaForMaskedLM"),
        "xlm-roberta": _of_roberta("XLMRobertaForMaskedLM"),
        "camembert": _of_roberta("CamembertForMaskedLM"),
        "mpnet": _of_roberta("MPNetForMaskedLM", prefix="mpnet."),
        "distilbert": MlmFamily(
            architecture="DistilBertForMaskedLM",
            prefix="distilbert.",
            dense="vocab_transform",
            norm="vocab_layer_norm",
            decoder="vocab_projector",
            bias="vocab_projector.bias",
            width="dim",
            activation=lambda config: str(config.get("activation", "gelu")),
            eps=lambda _: 1e-12,  # fixed in the original code, in no configuration
        ),
        "modernbert": MlmFamily(
            architecture="ModernBertForMaskedLM",
            prefix="model.",
            dense="head.dense",
            norm="head.norm",
            decoder="decoder",
            bias="decoder.bias",
            activation=lambda config: str(config.get("classifier_activation", "gelu")),
            eps=lambda config: float(config.get("norm_eps", 1e-5)),
            has_dense_bias=lambda config: bool(config.get("classifier_bias", False)),
            has_norm_bias=lambda config: bool(config.get("norm_bias", False)),
        ),
    }
)
