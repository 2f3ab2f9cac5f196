"""What the loop asks of a model, whether it embeds texts or scores pairs."""

from pathlib import Path
from typing import Protocol, TypeAlias

import torch
from torch import Tensor

from likewise.models.build import load_weights
from likewise.models.cross_encoder import CrossEncoder, load_cross_weights
from likewise.models.encoder import Encoder
from likewise.text.packed import Packed
from likewise.training.options import TRANSFORMER_RATE

Trainable: TypeAlias = Encoder | CrossEncoder


class Embeds(Protocol):
    """A packed stream to one row of numbers a text or pair: embeddings, or logits."""

    def __call__(self, packed: Packed, *, dtype: torch.dtype) -> Tensor:
        """[S, D] float32, with gradients where they are enabled."""


def restore_weights(model: Trainable, folder: Path) -> None:
    """Put the weights of a saved model of the same shape into this one, in place."""
    if isinstance(model, Encoder):
        load_weights(model, folder)
        return
    load_cross_weights(model, folder)


def rate_of(model: Trainable) -> float:
    """The peak learning rate that suits a model's family."""
    return model.learning_rate if isinstance(model, Encoder) else TRANSFORMER_RATE
