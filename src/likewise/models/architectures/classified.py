"""An encoder with its family's classification head: a packed stream of pairs to logits [S, K]."""

from typing import Any

import torch
from torch import Tensor, nn

from likewise.models.architectures import ARCHITECTURES
from likewise.models.architectures.classifiers import CLASSIFIERS
from likewise.models.architectures.names import Names
from likewise.models.architectures.padded import PaddedClassifier, padded_classifier_names
from likewise.models.pooling import pool
from likewise.text.packed import Packed

DEFAULT_CLASSES = 2  # of transformers, where a configuration says nothing


class Classified(nn.Module):
    """A native encoder and the head on top of it."""

    def __init__(self, backbone: nn.Module, head: nn.Module, *, pooling: str = "cls") -> None:
        """Compose the two; `pooling` is "cls" or "mean"."""
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.pooling = pooling

    def forward(self, packed: Packed, *, dtype: torch.dtype = torch.float32) -> Tensor:
        """Logits [S, K] float32 of a packed stream; the encoder works in `dtype`."""
        if self.pooling == "cls":
            states = self.backbone(packed, dtype=dtype, first_only=True)
        else:
            states = pool(self.backbone(packed, dtype=dtype), packed, [self.pooling])
        logits: Tensor = self.head(states)
        return logits


def build_classified(config: dict[str, Any]) -> nn.Module:
    """The model of a family, native or through transformers; its weights are still to be read.

    Args:
        config: of a `…ForSequenceClassification` checkpoint.

    Raises:
        InputError: transformers does not know the family.
    """
    family = str(config.get("model_type"))
    if family not in CLASSIFIERS:
        return PaddedClassifier(config)
    classifier = CLASSIFIERS[family]
    return Classified(
        ARCHITECTURES[family].build(config),
        classifier.build(config, classes_of(config)),
        pooling=classifier.pooling(config),
    )


def classified_names(config: dict[str, Any]) -> Names:
    """Our names of all weights to those of the checkpoint, prefix and head included."""
    family = str(config.get("model_type"))
    if family not in CLASSIFIERS:
        return padded_classifier_names(config)
    classifier = CLASSIFIERS[family]
    backbone = ARCHITECTURES[family].names(config)
    return {
        **{
            f"backbone.{ours}": tuple(f"{classifier.prefix}{name}" for name in theirs)
            for ours, theirs in backbone.items()
        },
        **{f"head.{ours}": theirs for ours, theirs in classifier.names(config).items()},
    }


def classes_of(config: dict[str, Any]) -> int:
    """K, the number of logits a pair.

    >>> classes_of({"id2label": {"0": "no", "1": "maybe", "2": "yes"}}), classes_of({})
    (3, 2)
    """
    named = config.get("id2label")
    if named:
        return len(named)
    return int(config.get("num_labels") or DEFAULT_CLASSES)
