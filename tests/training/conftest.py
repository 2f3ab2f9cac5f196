"""Models that all start from the same weights."""

from collections.abc import Callable
from pathlib import Path

import pytest

from likewise.models.build import load
from likewise.models.cross_encoder import CrossEncoder, from_encoder
from likewise.models.encoder import Encoder
from training.small_runs import grown


@pytest.fixture(scope="session")
def new_encoder(_tiny_original: Path) -> Callable[[], Encoder]:
    return lambda: load(_tiny_original, device="cpu")


@pytest.fixture(scope="session")
def new_cross(new_encoder: Callable[[], Encoder]) -> Callable[..., CrossEncoder]:
    """Of so many classes, with weights that tell pairs apart."""
    return lambda classes=1: grown(from_encoder(new_encoder(), classes=classes, seed=5))
