"""Models that all start from the same weights."""

from collections.abc import Callable
from pathlib import Path

import pytest

from likewise.models.build import load
from likewise.models.cross_encoder import CrossEncoder, from_encoder
from likewise.models.encoder import Encoder


@pytest.fixture
def new_encoder(_tiny_original: Path) -> Callable[[], Encoder]:
    return lambda: load(_tiny_original, device="cpu")


@pytest.fixture
def new_cross(new_encoder: Callable[[], Encoder]) -> Callable[..., CrossEncoder]:
    return lambda classes=1: from_encoder(new_encoder(), classes=classes, seed=5)
