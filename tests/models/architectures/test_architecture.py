from dataclasses import FrozenInstanceError
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from likewise.models.architectures.architecture import Architecture
from likewise.models.architectures.names import from_checkpoint, to_checkpoint
from likewise.text.packed import Packed, pack


class BagOfTokens(nn.Module):
    """The smallest family there can be: a table of vectors, and no attention."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.width = config["width"]
        self.tokens = nn.Parameter(torch.empty(config["vocabulary"], self.width))

    def forward(self, packed: Packed, *, dtype: torch.dtype = torch.float32) -> Tensor:
        return self.tokens[packed.ids].to(dtype)


BAG = Architecture(
    build=BagOfTokens,
    names=lambda config: {"tokens": ("embedding.weight",)},
    most_tokens=lambda config: 10_000,
)


def test_three_functions_of_the_configuration_make_a_family():
    config = {"width": 2, "vocabulary": 5}
    table = torch.arange(10.0).reshape(5, 2)
    model = BAG.build(config)
    found, _, missing = from_checkpoint({"embedding.weight": table}, BAG.names(config))
    assert missing == []
    model.load_state_dict(found)
    assert torch.equal(model(pack([[4, 0], [1]])), table[[4, 0, 1]])
    back = to_checkpoint(model.state_dict(), BAG.names(config))
    assert torch.equal(back["embedding.weight"], table)


def test_a_family_is_a_value():
    with pytest.raises(FrozenInstanceError):
        BAG.build = BagOfTokens  # type: ignore[misc]
