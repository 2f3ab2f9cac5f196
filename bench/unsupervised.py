"""TSDAE, SimCSE and Contrastive Tension against sentence-transformers, on the same plain texts.

    python bench/unsupervised.py [--rows 1280] [--batch 64] [--repeats 3] [--only simcse ...]
    python bench/unsupervised.py --dropout     what real dropout costs here, against dropout 0
    python bench/unsupervised.py --quality     the dev scores after training, on both sides

Texts are question titles of ../shared/data where they are, else the standard library's docstrings.
Both sides start from MiniLM and see the same texts once, with the same batch size, rate and
dropout. TSDAE's damaged texts are made beforehand for the peer, which spares it that time; its own
maker of them needs NLTK. "contrastive-tension" is the in-batch loss on both sides, the other one
is the paper's, with one pair of a text with itself for seven of two texts.
"""

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sentence_transformers.sentence_transformer.losses import (
    ContrastiveTensionLoss,
    ContrastiveTensionLossInBatchNegatives,
    DenoisingAutoEncoderLoss,
    MultipleNegativesRankingLoss,
)

import likewise
import machine
import peer
from likewise.data.builtin import stdlib_code
from likewise.data.dataset import Dataset
from likewise.evaluation import compare, evaluate
from likewise.methods import METHODS
from likewise.methods.recipe import resolve_options
from likewise.methods.simcse import simcse_objective
from likewise.models.source import resolve_model
from likewise.training.fit import Fit
from likewise.training.options import TrainingOptions
from likewise.training.text_views import twice_feed

SHARED = Path(__file__).parents[2] / "shared/data"
DELETED, NEGATIVES = 0.6, 7


@dataclass(frozen=True)
class Task:
    """One method on both sides."""

    method: str
    columns: Callable[[list[str]], dict[str, list[str]]]
    loss: Callable[[Any], Any]
    options: dict[str, Any] = field(default_factory=dict)


def damaged(texts: list[str]) -> dict[str, list[str]]:
    """Three words in five are gone, one at least stays."""
    draw, found = random.Random(0), []
    for text in texts:
        words = text.split()
        kept = [word for word in words if draw.random() >= DELETED]
        found.append(" ".join(kept or [draw.choice(words)]))
    return {"damaged": found, "text": texts}


def tension_pairs(texts: list[str]) -> dict[str, list[str]]:
    """One text with itself, then seven with another one; the trainer shuffles them."""
    draw = random.Random(0)
    others = [
        text if i % (NEGATIVES + 1) == 0 else draw.choice(texts) for i, text in enumerate(texts)
    ]
    return {"a": texts, "b": others}


TASKS = {
    "tsdae": Task("tsdae", damaged, DenoisingAutoEncoderLoss, {"pooling": "model"}),
    "simcse": Task(
        "simcse",
        lambda texts: {"anchor": texts, "positive": texts},
        MultipleNegativesRankingLoss,
        {"views": "dropout"},
    ),
    "contrastive-tension": Task(
        "contrastive-tension", lambda texts: {"text": texts}, ContrastiveTensionLossInBatchNegatives
    ),
    "contrastive-tension-classic": Task(
        "contrastive-tension",
        tension_pairs,
        ContrastiveTensionLoss,
        {"variant": "classic", "negatives": NEGATIVES},
    ),
}


def corpus(rows: int) -> list[str]:
    if SHARED.exists():
        texts = likewise.read(SHARED / "stackoverflow/train.csv.gz").texts("text")
    else:
        texts = stdlib_code().train.texts("anchor")
    texts = list(dict.fromkeys(texts))
    random.Random(0).shuffle(texts)
    return texts[:rows]


def as_data(texts: list[str], folder: Path) -> Dataset:
    path = folder / "texts.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return likewise.read(path)


def options(asked: argparse.Namespace, **changed: Any) -> TrainingOptions:
    return TrainingOptions(
        **{
            "batch_size": asked.batch,
            "learning_rate": asked.rate,
            "warmup": 0.0,
            "weight_decay": 0.0,
            "seed": asked.seed,
            "checkpoint_every": 10**9,
            "keep": "last",
        }
        | changed
    )


def ours(task: Task, data: Dataset, chosen: TrainingOptions) -> tuple[likewise.Encoder, float]:
    encoder = likewise.load("minilm", device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        fit = Fit(encoder=encoder, options=chosen, folder=Path(folder))
        METHODS[task.method].function(fit, data, **resolve_options(task.method, task.options))
        return encoder, time.perf_counter() - began


def theirs(
    task: Task, texts: list[str], asked: argparse.Namespace, *, bf16: bool
) -> tuple[Any, float]:
    return peer.train(
        str(resolve_model("minilm")),
        task.columns(texts),
        task.loss,
        batch=asked.batch,
        bf16=bf16,
        learning_rate=asked.rate,
        warmup_steps=0,
        weight_decay=0.0,
        seed=asked.seed,
    )


def bench_speed(name: str, texts: list[str], data: Dataset, asked: argparse.Namespace) -> None:
    task = TASKS[name]
    seconds = machine.against_peer(
        lambda bf16: theirs(task, texts, asked, bf16=bf16)[1],
        lambda precision: ours(task, data, options(asked, precision=precision))[1],
        asked.repeats,
    )
    machine.report(f"unsupervised {name}", seconds, work=len(texts), unit="texts", ours="likewise")


def bench_dropout(data: Dataset, asked: argparse.Namespace) -> None:
    """SimCSE's step with the model's own dropout and with none, in both precisions."""

    def seconds_of(dropout: float | None, precision: str) -> float:
        encoder = likewise.load("minilm", device="cpu")
        chosen = options(asked, dropout=dropout, precision=precision)
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            fit = Fit(encoder=encoder, options=chosen, folder=Path(folder))
            fit(data, simcse_objective(twice_feed(), scale=20.0))
            return time.perf_counter() - began

    for precision in ("float32", "auto"):
        seconds = machine.alternate(
            {
                "dropout 0": lambda: seconds_of(0.0, precision),  # noqa: B023 - called at once
                "dropout 0.1": lambda: seconds_of(0.1, precision),  # noqa: B023 - called at once
            },
            asked.repeats,
        )
        title = f"dropout {'bfloat16' if precision == 'auto' else precision}"
        machine.report(title, seconds, work=len(data), unit="texts", ours="dropout 0.1")


def bench_quality(name: str, texts: list[str], data: Dataset, asked: argparse.Namespace) -> dict:
    """Neighbours and clusters of the dev titles, by both models and by the base."""
    task, dev = TASKS[name], likewise.read(SHARED / "stackoverflow/dev.csv.gz")
    other, their_seconds = theirs(task, texts, asked, bf16=False)
    own, our_seconds = ours(task, data, options(asked, precision="float32"))
    models = {
        "base": likewise.load("minilm", device="cpu"),
        "sentence-transformers": lambda texts, role=None: other.encode(list(texts)),
        "likewise": own,
    }
    found: dict[str, Any] = {
        "texts": len(texts),
        "seconds": {"sentence-transformers": their_seconds, "likewise": our_seconds},
    }
    print(f"\n{name}: {len(texts):,} texts, batch {asked.batch}, rate {asked.rate:g}")
    found |= dev_scores(models, dev)
    return found


def dev_scores(models: dict[str, Any], dev: Dataset) -> dict[str, Any]:
    """Each model's score with its interval, and the last two's difference; printed and returned.

    The interval of the v-measure is that of the texts; starts of k-means differ by a few points.
    """
    found: dict[str, Any] = {}
    for evaluator, metric in (("neighbours", "knn"), ("clustering", "v-measure")):
        results = [
            evaluate(model, dev, name=label, evaluator=evaluator, precision="float32")
            for label, model in models.items()
        ]
        scores = {result.model: result.scores[metric] for result in results}
        found[metric] = {name: [s.value, s.low, s.high] for name, s in scores.items()}
        for name, s in scores.items():
            print(f"  {metric:9} {name:22} {s.value:.4f} ({s.low:.4f} to {s.high:.4f})")
        (apart,) = [d for d in compare(results[1:]) if d.metric == metric]
        found[f"{metric} difference"] = [apart.value, apart.low, apart.high]
        print(f"  {metric:9} difference {apart.value:+.4f} ({apart.low:+.4f} to {apart.high:+.4f})")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1280)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=2e-5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--dropout", action="store_true", help="measure what dropout costs")
    parser.add_argument("--quality", action="store_true", help="measure dev scores, not seconds")
    asked = parser.parse_args()
    texts = corpus(asked.rows)
    with tempfile.TemporaryDirectory() as folder:
        data = as_data(texts, Path(folder))
        if asked.dropout:
            bench_dropout(data, asked)
        elif asked.quality:
            found = {name: bench_quality(name, texts, data, asked) for name in asked.only}
            path = machine.RESULTS / "unsupervised-quality.json"
            path.write_text(json.dumps(found, indent=2) + "\n")
            print(f"kept in {path}")
        else:
            for name in asked.only:
                bench_speed(name, texts, data, asked)


if __name__ == "__main__":
    main()
