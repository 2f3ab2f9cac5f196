"""The classification heads of the families: one hidden state a pair to its logits.

Each is what transformers' `…ForSequenceClassification` puts on the family's encoder, under the same
names in a checkpoint. They work in float32: a head is small, and its logits are compared.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from likewise.models.architectures.layers import LayerNorm, Linear
from likewise.models.architectures.names import Names
from likewise.models.matmul import check_activation
from likewise.registry import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Classifier:
    """The head of one family, chosen by `model_type` in a model's config.json.

    Attributes:
        build: from the configuration and the number of classes K to a module whose
            `forward(states)` turns one hidden state a pair, [S, H], into logits [S, K].
        names: from the configuration to the table of weight renames; the checkpoint's side has
            its prefix.
        prefix: what a checkpoint puts before the names of the encoder's weights.
        architecture: the class of transformers that reads the checkpoint.
        pooling: from the configuration to the state that the head sees: "cls", which is the first
            token's, or "mean".
    """

    build: Callable[[dict[str, Any], int], nn.Module]
    names: Callable[[dict[str, Any]], Names]
    prefix: str
    architecture: str
    pooling: Callable[[dict[str, Any]], str] = lambda _: "cls"


class PooledHead(nn.Module):
    """BERT's: the pooler on the first token, dropout, one linear layer (Devlin et al. 2019)."""

    def __init__(self, config: dict[str, Any], classes: int) -> None:
        """Set sizes; the weights are read from a folder or drawn."""
        super().__init__()
        width = int(config["hidden_size"])
        self.pooler = Linear(width, width)
        self.dropout = nn.Dropout(_dropout(config))
        self.classifier = Linear(width, classes)

    def forward(self, states: Tensor) -> Tensor:
        """[S, H] to [S, K] float32."""
        pooled = torch.tanh(self.pooler(states.float()))
        return self.classifier(self.dropout(pooled))  # type: ignore[no-any-return]  # a module's call is untyped


class DenseHead(nn.Module):
    """RoBERTa's and MPNet's: dropout, dense, tanh, dropout, one linear layer on the first token."""

    def __init__(self, config: dict[str, Any], classes: int) -> None:
        """Set sizes; the weights are read from a folder or drawn."""
        super().__init__()
        width = int(config["hidden_size"])
        self.dense = Linear(width, width)
        self.dropout = nn.Dropout(_dropout(config))
        self.classifier = Linear(width, classes)

    def forward(self, states: Tensor) -> Tensor:
        """[S, H] to [S, K] float32."""
        x = self.dropout(states.float())
        return self.classifier(self.dropout(torch.tanh(self.dense(x))))  # type: ignore[no-any-return]  # a module's call is untyped


class ReluHead(nn.Module):
    """DistilBERT's: dense, ReLU, dropout, one linear layer on the first token."""

    def __init__(self, config: dict[str, Any], classes: int) -> None:
        """Set sizes; the weights are read from a folder or drawn."""
        super().__init__()
        width = int(config["dim"])
        self.dense = Linear(width, width)
        self.dropout = nn.Dropout(float(config.get("seq_classif_dropout", 0.2)))
        self.classifier = Linear(width, classes)

    def forward(self, states: Tensor) -> Tensor:
        """[S, H] to [S, K] float32."""
        x = F.relu(self.dense(states.float()))
        return self.classifier(self.dropout(x))  # type: ignore[no-any-return]  # a module's call is untyped


class NormedHead(nn.Module):
    """ModernBERT's: dense, activation, norm, dropout, linear; of the first token or the mean."""

    def __init__(self, config: dict[str, Any], classes: int) -> None:
        """Set sizes; the weights are read from a folder or drawn."""
        super().__init__()
        width = int(config["hidden_size"])
        self.dense = Linear(width, width, bias=bool(config.get("classifier_bias", False)))
        self.activation = check_activation(config.get("classifier_activation", "gelu"))
        eps, bias = float(config.get("norm_eps", 1e-5)), bool(config.get("norm_bias", False))
        self.norm = LayerNorm(width, eps=eps, bias=bias)
        self.dropout = nn.Dropout(float(config.get("classifier_dropout") or 0.0))
        self.classifier = Linear(width, classes)

    def forward(self, states: Tensor) -> Tensor:
        """[S, H] to [S, K] float32."""
        x = self.dense(states.float(), self.activation)
        return self.classifier(self.dropout(self.norm(x)))  # type: ignore[no-any-return]  # a module's call is untyped


def _dropout(config: dict[str, Any]) -> float:
    own = config.get("classifier_dropout")
    return float(config.get("hidden_dropout_prob", 0.1) if own is None else own)


def _names(config: dict[str, Any], *, parts: dict[str, str]) -> Names:
    """Weight and bias of each part, under the checkpoint's names."""
    return {
        f"{ours}.{kind}": (f"{theirs}.{kind}",)
        for ours, theirs in parts.items()
        for kind in ("weight", "bias")
    }


def _normed_names(config: dict[str, Any]) -> Names:
    names = _names(
        config, parts={"dense": "head.dense", "norm": "head.norm", "classifier": "classifier"}
    )
    for part, has_bias in (("dense", "classifier_bias"), ("norm", "norm_bias")):
        if not config.get(has_bias, False):
            del names[f"{part}.bias"]
    return names


def _of_roberta(architecture: str, *, prefix: str = "roberta.") -> Classifier:
    parts = {"dense": "classifier.dense", "classifier": "classifier.out_proj"}
    return Classifier(
        build=DenseHead,
        names=partial(_names, parts=parts),
        prefix=prefix,
        architecture=architecture,
    )


# By the `model_type` of config.json; a family that is not here runs padded, through transformers.
CLASSIFIERS: Table[Classifier] = Table(
    "likewise.classifiers",
    {
        "bert": Classifier(
            build=PooledHead,
            names=partial(
                _names, parts={"pooler": "bert.pooler.dense", "classifier": "classifier"}
            ),
            prefix="bert.",
            architecture="BertForSequenceClassification",
        ),
        "roberta": _of_roberta("RobertaForSequenceClassification"),
        "xlm-roberta": _of_roberta("XLMRobertaForSequenceClassification"),
        "camembert": _of_roberta("CamembertForSequenceClassification"),
        "mpnet": _of_roberta("MPNetForSequenceClassification", prefix="mpnet."),
        "distilbert": Classifier(
            build=ReluHead,
            names=partial(_names, parts={"dense": "pre_classifier", "classifier": "classifier"}),
            prefix="distilbert.",
            architecture="DistilBertForSequenceClassification",
        ),
        "modernbert": Classifier(
            build=NormedHead,
            names=_normed_names,
            prefix="model.",
            architecture="ModernBertForSequenceClassification",
            pooling=lambda config: str(config.get("classifier_pooling", "cls")),
        ),
    },
)
