"""Methods against sentence-transformers: the same dev score within the interval, in less time.

    python bench/methods.py [--rows 3200] [--seeds 1] [--only cosine softmax mnr]

Cosine starts from MiniLM and learns STS-B; softmax and MNR start from MiniLM with its top three
layers drawn anew (a stand-in for a base that never saw a pair of sentences) and learn NLI. Both
sides see the same rows, once, with the same batch size, learning rate, warm-up and dropout; both
models are measured by the same evaluator, pair by pair, on STS-B dev. An interval is that of the
dev pairs alone: several seeds show what the draw of a head and of the order adds to it.
Needs ../shared/data.
"""

import argparse
import json
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

import torch
from sentence_transformers.sentence_transformer.losses import (
    CosineSimilarityLoss,
    MultipleNegativesRankingLoss,
    SoftmaxLoss,
)

import likewise
import machine
import peer
from likewise.data.dataset import Dataset
from likewise.data.derive import nli_to_pairs
from likewise.data.leakage import leaked_rows
from likewise.evaluation import compare
from likewise.methods import METHODS
from likewise.methods.recipe import resolve_options
from likewise.training.fit import Fit
from likewise.training.options import TrainingOptions

SHARED = Path(__file__).parents[2] / "shared/data"
FRESH_LAYERS, STD = 3, 0.02
RATE, WARMUP = 2e-5, 0.1


@dataclass(frozen=True)
class Task:
    """One method on one data set, for both sides."""

    method: str
    data: Dataset
    columns: dict[str, list]
    loss: object
    base: str
    batch: int
    rate: float


def without_leaks(data: Dataset, dev: Dataset) -> Dataset:
    seen = set(leaked_rows(dev, data).tolist())
    return data.take([i for i in range(len(data)) if i not in seen])


def with_fresh_layers(out: Path) -> str:
    """MiniLM whose last layers never learnt anything."""
    encoder = likewise.load("minilm", device="cpu")
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for layer in encoder.backbone.layers[-FRESH_LAYERS:]:
            for name, parameter in layer.named_parameters():
                if parameter.dim() > 1:
                    parameter.normal_(0.0, STD, generator=draw)
                else:
                    parameter.fill_(1.0 if "norm" in name and name.endswith("weight") else 0.0)
    return str(encoder.save(out))


def tasks(rows: int, fresh: str, dev: Dataset) -> dict[str, Task]:
    scored = without_leaks(likewise.read(SHARED / "stsb/train.csv.gz"), dev)
    scored = scored.take(range(min(rows, len(scored))))
    nli = likewise.read(SHARED / "nli/train.csv.gz")
    labelled = nli.take(range(rows))
    pairs = nli_to_pairs(nli, seed=0)
    whole = [i for i, texts in enumerate(pairs.text_lists("negative")) if texts]
    triplets = pairs.take(whole[:rows])
    return {
        "cosine": Task(
            "cosine",
            scored,
            {
                "sentence1": scored.texts("sentence1"),
                "sentence2": scored.texts("sentence2"),
                "score": (scored.numbers("score") / 5).tolist(),
            },
            CosineSimilarityLoss,
            str(likewise.models.source.resolve_model("minilm")),
            32,
            RATE,
        ),
        "softmax": Task(
            "softmax",
            labelled,
            {
                "premise": labelled.texts("premise"),
                "hypothesis": labelled.texts("hypothesis"),
                "label": labelled.labels(),
            },
            lambda model: SoftmaxLoss(model, model.get_embedding_dimension(), num_labels=3),
            fresh,
            32,
            5e-5,
        ),
        "mnr": Task(
            "mnr",
            triplets,
            {role: triplets.texts(role) for role in ("anchor", "positive", "negative")},
            MultipleNegativesRankingLoss,
            fresh,
            64,
            5e-5,
        ),
    }


def ours(task: Task, seed: int) -> tuple[likewise.Encoder, float]:
    encoder = likewise.load(task.base, device="cpu")
    options = TrainingOptions(
        batch_size=task.batch,
        learning_rate=task.rate,
        warmup=WARMUP,
        weight_decay=0.0,
        checkpoint_every=100_000,
        keep="last",
        seed=seed,
    )
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        fit = Fit(encoder=encoder, options=options, folder=Path(folder))
        METHODS[task.method].function(fit, task.data, **resolve_options(task.method, {}))
        return encoder, time.perf_counter() - began


def theirs(task: Task, seed: int) -> tuple[object, float]:
    torch.manual_seed(seed)  # of the head that the loss draws
    return peer.train(
        task.base,
        task.columns,
        task.loss,
        batch=task.batch,
        learning_rate=task.rate,
        warmup_steps=WARMUP,
        weight_decay=0.0,
        seed=seed,
    )


def measure(task: Task, dev: Dataset, seed: int) -> dict:
    """Train on both sides, print both scores, their difference and the ratio of the times."""
    untouched = likewise.evaluate(likewise.load(task.base, device="cpu"), dev, name="base")
    other, their_seconds = theirs(task, seed)
    own, our_seconds = ours(task, seed)
    embed = lambda texts, role=None: other.encode(list(texts))  # noqa: E731 - a one-liner
    results = [
        likewise.evaluate(embed, dev, name="sentence-transformers"),
        likewise.evaluate(own, dev, name="likewise"),
    ]
    (difference,) = [d for d in compare(results) if d.metric == "spearman"]
    print(
        f"\n{task.method}: {len(task.data):,} rows, batch {task.batch}, rate {task.rate:g}, "
        f"seed {seed}"
    )
    print(f"  before            spearman {untouched.spearman:.4f}")
    for result, seconds in zip(results, (their_seconds, our_seconds), strict=True):
        low, high = result.interval
        print(
            f"  {result.model:22} {result.spearman:.4f} ({low:.4f} to {high:.4f}) {seconds:7.1f} s"
        )
    print(
        f"  difference {difference.value:+.4f} ({difference.low:+.4f} to {difference.high:+.4f}), "
        f"{their_seconds / our_seconds:.2f} x as fast",
        flush=True,
    )
    return {
        "rows": len(task.data),
        "before": untouched.spearman,
        "spearman": {result.model: result.spearman for result in results},
        "difference": [difference.value, difference.low, difference.high],
        "seconds": {"sentence-transformers": their_seconds, "likewise": our_seconds},
        "ratio": their_seconds / our_seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=3200)
    parser.add_argument("--only", nargs="+", default=["cosine", "softmax", "mnr"])
    parser.add_argument("--seeds", type=int, default=1)
    asked = parser.parse_args()
    dev = likewise.read(SHARED / "stsb/dev.csv.gz")
    dev = replace(dev, notes=())
    with tempfile.TemporaryDirectory() as scratch:
        chosen = tasks(asked.rows, with_fresh_layers(Path(scratch) / "fresh"), dev)
        seeds = range(1, asked.seeds + 1)
        found = {name: [measure(chosen[name], dev, seed) for seed in seeds] for name in asked.only}
    for name, runs in found.items():
        for side in runs[0]["spearman"]:
            scores = [run["spearman"][side] for run in runs]
            low, high = min(scores), max(scores)
            print(f"{name:8} {side:22} mean {mean(scores):.4f}, {low:.4f} to {high:.4f}")
    machine.RESULTS.mkdir(exist_ok=True)
    path = machine.RESULTS / "methods.json"
    path.write_text(json.dumps(found, indent=2) + "\n")
    print(f"kept in {path}")


if __name__ == "__main__":
    main()
