"""Small data of every kind, an easy task each, and what the methods need besides."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from conftest import NOUNS, TOPICS, answer, question
from likewise.data.dataset import Dataset
from likewise.methods import METHODS
from likewise.methods.conversions import all_texts
from likewise.methods.cross_encoder import labels_of
from likewise.methods.teachers import Teacher
from likewise.models.build import load
from likewise.models.cross_encoder import from_encoder
from likewise.training.fit import Fit
from likewise.training.objective import Objective
from likewise.training.seeding import torch_seed
from training.small_runs import grown, make_data, make_fit, nli, pairs, scored


def pair_labels(n: int = 24) -> Dataset:
    """A question with its own answer (1), and with that of the next noun (0)."""
    return make_data(
        "pair-labels",
        sentence1=[question(*TOPICS[i - i % 2]) for i in range(n)],
        sentence2=[answer(*TOPICS[i]) for i in range(n)],
        label=[1 - i % 2 for i in range(n)],
    )


def reranking(n: int = 24) -> Dataset:
    """Of every question its own answer, and that of the next noun, which is wrong."""
    columns = pair_labels(n).table.to_pydict()
    renamed = dict(zip(("query", "document", "label"), columns.values(), strict=True))
    return make_data("reranking", **renamed)


def labelled(n: int = 24) -> Dataset:
    """Questions and answers by their noun: half of them, so that every label has several."""
    chosen = [(verb, noun) for verb, noun in TOPICS if noun in NOUNS[:4]]
    texts = [question(*topic) for topic in chosen] + [answer(*topic) for topic in chosen]
    data = make_data("labelled", text=texts[:n], label=[0] * len(texts[:n]))
    labels = [noun for _, noun in [*chosen, *chosen]][:n]
    table = data.table.set_column(1, "label", pa.array(labels, pa.large_string()))
    return Dataset(**{**vars(data), "table": table})


def texts(n: int = 24) -> Dataset:
    return all_texts(pairs(n // 2))


def triplets(n: int = 24) -> Dataset:
    chosen = TOPICS[:n]
    return make_data(
        "pairs",
        anchor=[question(*topic) for topic in chosen],
        positive=[answer(*topic) for topic in chosen],
        negative=[answer(*TOPICS[(i + 9) % 64]) for i in range(len(chosen))],
    )


def distilled(n: int = 24) -> Dataset:
    """Triplets whose teacher is sure."""
    data = triplets(n)
    scores = pa.array([[1.0, 0.0]] * len(data), pa.list_(pa.float64()))
    table = data.table.append_column("scores", scores)
    columns = {role: role for role in table.column_names}
    return Dataset(**{**vars(data), "kind": "distilled", "table": table, "columns": columns})


DATA: dict[str, Callable[[int], Dataset]] = {
    "pairs": triplets,
    "scored": scored,
    "nli": nli,
    "pair-labels": pair_labels,
    "reranking": reranking,
    "labelled": labelled,
    "texts": texts,
    "distilled": distilled,
}


def usable(method: str) -> tuple[str, ...]:
    """The kinds on which a method can run here without more than `OPTIONS` gives."""
    return tuple(kind for kind in METHODS[method].kinds if kind in DATA)


def settings(method: str, folder: Path) -> dict[str, Any]:
    """The options that a method cannot do without, with another tiny model at `folder`."""
    if method == "gpl":
        return {"teacher": str(make_cross_encoder(folder, folder.with_name("cross")))}
    if method == "word2vec":
        return {"min_count": 1, "vector_size": 8}
    teacher = {"mse": "guide", "distillation": "teacher"}.get(method)
    return {} if teacher is None else {teacher: str(folder)}


def start(method: str, folder: str | Path, data: Dataset) -> Teacher:
    """What a method trains: the tiny encoder, or a cross-encoder over it."""
    encoder = load(folder, device="cpu")
    if METHODS[method].makes == "encoder":
        return encoder
    labels = labels_of("auto", data)
    return from_encoder(encoder, classes=max(len(labels), 1), labels=labels, seed=3)


def make_teacher(folder: Path, out: Path, *, noise: float = 0.1) -> Path:
    """A tiny encoder with other weights, in a folder of its own."""
    encoder = load(folder, device="cpu")
    with torch_seed(9):
        for parameter in encoder.module.parameters():
            parameter.data.add_(noise * parameter.data.new_empty(parameter.shape).normal_())
    return encoder.save(out)


def make_cross_encoder(folder: Path, out: Path) -> Path:
    """A tiny cross-encoder over that encoder, made once; it tells pairs of texts apart."""
    return out if out.is_dir() else grown(from_encoder(folder, classes=1, seed=1)).save(out)


class Watched(Fit[Any]):
    """A fit that keeps what a method trains its own model on; stages before that are not seen."""

    data: Dataset | None = None

    def __call__(self, data: Dataset, objective: Objective) -> None:
        self.data = data
        super().__call__(data, objective)


def watched(encoder: Teacher, folder: Path, **options: Any) -> Watched:
    """As `make_fit`; besides, `data` is what the last training was on."""
    return Watched(**vars(make_fit(encoder, folder, **options)))
