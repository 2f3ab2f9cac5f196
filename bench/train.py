"""Training against sentence-transformers: same pairs, weights, batch, epochs and dropout.

    python bench/train.py [--task mnr code cosine softmax] [--rows 1280] [--batch 64] [--repeats 3]

`mnr` and `cosine` learn pairs of STS-B, `softmax` rows of NLI, from ../shared/data; `code` learns
by MNR which docstring of the standard library belongs to which function, lengths with a long tail
up to 256 tokens. One epoch each; the peer's clock runs during its steps alone, ours from the
tokenising on. The share of the ceiling counts real tokens: 6 operations for each weight of a layer
that a token passes (Kaplan et al. 2020), attention's products left out.
"""

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sentence_transformers.sentence_transformer.losses import (
    CosineSimilarityLoss,
    MultipleNegativesRankingLoss,
    SoftmaxLoss,
)

import likewise
import machine
import peer
from likewise.data.builtin import stdlib_code
from likewise.methods import METHODS
from likewise.methods.recipe import resolve_options
from likewise.models.source import resolve_model
from likewise.training.events import StepDone
from likewise.training.fit import Fit
from likewise.training.options import TrainingOptions

SHARED = Path(__file__).parents[2] / "shared/data"


@dataclass(frozen=True)
class Task:
    """One method, and the columns of its rows as both sides read them."""

    method: str
    columns: dict[str, list[Any]]
    loss: Callable[[Any], Any]
    score_range: tuple[float, float] | None = None

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values())))


def some(columns: dict[str, list[Any]], rows: int) -> dict[str, list[Any]]:
    order = list(range(len(next(iter(columns.values())))))
    random.Random(0).shuffle(order)  # files begin with their shortest genre
    return {name: [values[i] for i in order[:rows]] for name, values in columns.items()}


def task(name: str, rows: int) -> Task:
    if name == "code":
        data = stdlib_code().train
        columns = {"anchor": data.texts("anchor"), "positive": data.texts("positive")}
        return Task("mnr", some(columns, rows), MultipleNegativesRankingLoss)
    if name == "softmax":
        data = likewise.read(SHARED / "nli/train.csv.gz")
        columns = {role: data.texts(role) for role in ("premise", "hypothesis")}
        columns["label"] = data.labels()
        width = 384

        def loss(model: Any) -> Any:
            return SoftmaxLoss(model, width, num_labels=3)

        return Task("softmax", some(columns, rows), loss)
    data = likewise.read(SHARED / "stsb/train.csv.gz")
    first, second = data.texts("sentence1"), data.texts("sentence2")
    if name == "mnr":
        columns = {"anchor": first, "positive": second}
        return Task("mnr", some(columns, rows), MultipleNegativesRankingLoss)
    scores = (data.numbers("score") / 5).tolist()
    columns = {"sentence1": first, "sentence2": second, "score": scores}
    return Task("cosine", some(columns, rows), CosineSimilarityLoss, (0.0, 1.0))


class Tokens:
    """Counts what the steps embed."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, event: object) -> None:
        if isinstance(event, StepDone):
            self.count += event.tokens


def ours(
    chosen: Task, file: Path, batch: int, precision: str, count: Tokens | None = None, **more: Any
) -> float:
    """Seconds of one epoch, and what it embeds."""
    encoder = likewise.load("minilm", device="cpu")
    settings = {"learning_rate": 2e-5, "checkpoint_every": 10**6, "keep": "last"} | more
    options = TrainingOptions(batch_size=batch, precision=precision, **settings)
    data = likewise.read(file, score_range=chosen.score_range)
    observers = [] if count is None else [count]
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        fit = Fit(encoder=encoder, options=options, folder=Path(folder), observers=observers)
        METHODS[chosen.method].function(fit, data, **resolve_options(chosen.method, {}))
        return time.perf_counter() - began


def write(chosen: Task, path: Path) -> Path:
    names = list(chosen.columns)
    rows = zip(*chosen.columns.values(), strict=True)
    path.write_text("".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows))
    return path


def bench(name: str, asked: argparse.Namespace) -> None:
    chosen, folder = task(name, asked.rows), str(resolve_model("minilm"))

    def theirs(bf16: bool) -> float:
        return peer.train(folder, chosen.columns, chosen.loss, batch=asked.batch, bf16=bf16)[1]

    with tempfile.TemporaryDirectory() as scratch:
        file, tokens = write(chosen, Path(scratch) / "rows.jsonl"), Tokens()
        ours(chosen, file, asked.batch, "auto", tokens)  # and kernels are warm
        seconds = machine.against_peer(
            theirs, lambda precision: ours(chosen, file, asked.batch, precision), asked.repeats
        )
    machine.report(
        f"training {name}",
        seconds,
        work=chosen.rows,
        unit="rows",
        ours="likewise",
        operations=3 * machine.operations(likewise.load("minilm"), tokens.count),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    names = ["mnr", "code", "cosine", "softmax"]
    parser.add_argument("--task", nargs="+", choices=names, default=names)
    parser.add_argument("--rows", type=int, default=1280)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    for name in asked.task:
        bench(name, asked)


if __name__ == "__main__":
    main()
