"""Models that all start from the same weights."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from likewise.models.build import load
from likewise.models.cross_encoder import CrossEncoder, from_encoder
from likewise.models.encoder import Encoder


@pytest.fixture(scope="session")
def new_encoder(_tiny_original: Path) -> Callable[[], Encoder]:
    return lambda: load(_tiny_original, device="cpu")


@pytest.fixture(scope="session")
def new_cross(new_encoder: Callable[[], Encoder]) -> Callable[..., CrossEncoder]:
    """Of so many classes. A new model of this size answers all pairs alike: its weights grow."""

    def new_cross(classes: int = 1) -> CrossEncoder:
        cross = from_encoder(new_encoder(), classes=classes, seed=5)
        with torch.no_grad():
            for parameter in cross.module.parameters():
                if parameter.dim() > 1:
                    parameter.mul_(8.0)
        return cross

    return new_cross
