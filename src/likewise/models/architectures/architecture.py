"""What a family of encoders must bring."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from likewise.models.architectures.names import Names


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """One family, chosen by `model_type` in a model's config.json.

    Attributes:
        build: from the configuration to a module whose `forward(packed, dtype=…)` gives the
            hidden states [T, H] and whose `width` is H; its weights are still to be read.
        names: from the configuration to the table of weight renames.
        most_tokens: from the configuration to the longest text that has positions.
        learning_rate: peak rate that suits the family, used where none is given.
    """

    build: Callable[[dict[str, Any]], nn.Module]
    names: Callable[[dict[str, Any]], Names]
    most_tokens: Callable[[dict[str, Any]], int]
    learning_rate: float = 5e-5
