"""Models that all start from the same weights."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from conftest import NOUNS, OTHER_WORDS, VERBS, make_folder
from likewise.models.build import load, static_encoder
from likewise.models.cross_encoder import CrossEncoder, from_encoder
from likewise.models.encoder import Encoder
from training.small_runs import grown


@pytest.fixture(scope="session")
def new_encoder(_tiny_original: Path) -> Callable[[], Encoder]:
    return lambda: load(_tiny_original, device="cpu")


@pytest.fixture(scope="session")
def new_static(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Encoder]:
    """A table of word vectors, 16 numbers each."""
    path, draw = tmp_path_factory.mktemp("words") / "words.txt", np.random.default_rng(6)
    words = dict.fromkeys([*OTHER_WORDS.split(), *NOUNS, *VERBS])
    lines = (" ".join([word, *(f"{x:.4f}" for x in draw.normal(size=16))]) for word in words)
    path.write_text("\n".join(lines) + "\n")
    return lambda: static_encoder(path, device="cpu")


@pytest.fixture(scope="session")
def new_deep(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Encoder]:
    """Of five layers."""
    import transformers

    folder = make_folder(tmp_path_factory.mktemp("deep") / "deep")
    config = transformers.BertConfig.from_pretrained(folder)
    config.num_hidden_layers = 5
    with torch.random.fork_rng():
        torch.manual_seed(2)
        transformers.BertModel(config).save_pretrained(folder)
    return lambda: load(folder, device="cpu")


@pytest.fixture(scope="session")
def new_cross(new_encoder: Callable[[], Encoder]) -> Callable[..., CrossEncoder]:
    """Of so many classes, with weights that tell pairs apart."""
    return lambda classes=1: grown(from_encoder(new_encoder(), classes=classes, seed=5))
