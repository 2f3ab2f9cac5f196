"""Encoders that all start from the same weights."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from likewise.data.dataset import Dataset
from likewise.methods import METHODS
from likewise.methods.recipe import resolve_options
from likewise.models.build import load
from likewise.models.encoder import Encoder
from methods.small_data import DATA, make_teacher, settings, start
from training.small_runs import Log, make_fit, weights


@dataclass(frozen=True)
class Trained:
    """A model's weights before and after a method, and what happened between."""

    before: dict[str, Tensor]
    after: dict[str, Tensor]
    log: Log
    data: Dataset


@pytest.fixture
def new_encoder(_tiny_original: Path) -> Callable[[], Encoder]:
    return lambda: load(_tiny_original, device="cpu")


@pytest.fixture(scope="session")
def _teacher(_tiny_original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_teacher(_tiny_original, tmp_path_factory.mktemp("teacher") / "model")


@pytest.fixture
def teacher_folder(_teacher: Path) -> Path:
    """A model of the tiny encoder's size, whose weights tell texts apart; not to be changed."""
    return _teacher


@pytest.fixture
def train_on(_tiny_original: Path, _teacher: Path) -> Callable[..., Trained]:
    """Run a method on small data of one of its kinds."""

    def train_on(
        name: str,
        folder: Path,
        *,
        kind: str | None = None,
        rows: int = 24,
        log: Log | None = None,
        base: str | None = None,
        **given: Any,
    ) -> Trained:
        data = DATA[kind or METHODS[name].kinds[0]](rows)
        model, log = start(name, base or str(_tiny_original), data), log or Log()
        before = weights(model)
        fit = make_fit(model, folder, observers=[log], **({"epochs": 2} | given))
        options = resolve_options(name, settings(name, _teacher))
        METHODS[name].function(fit, data, **options)
        return Trained(before=before, after=weights(fit.encoder), log=log, data=data)

    return train_on


@pytest.fixture(scope="session")
def word_vectors(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a static base: a vector for each word of the small data."""
    words = {
        w for kind in DATA for text in DATA[kind](24).all_texts() for w in text.lower().split()
    }
    draw = random.Random(4)
    file = tmp_path_factory.mktemp("words") / "vectors.txt"
    lines = (
        f"{word} {' '.join(f'{draw.gauss(0, 1):.4f}' for _ in range(16))}" for word in sorted(words)
    )
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return f"static:{file}"
