"""A cross-encoder against sentence-transformers, scoring and training: same pairs, same weights.

    python bench/cross_encoder.py [--pairs 2000] [--rows 640] [--repeats 3]

Pairs are those of STS-B where ../shared/data is there, else summaries and code of the standard
library. The model is MiniLM with a fresh head: the arithmetic is that of a trained one.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from sentence_transformers import CrossEncoder as PeerCrossEncoder

import likewise
import machine
import peer
from likewise.data.builtin import stdlib_code
from likewise.data.dataset import Dataset
from likewise.losses.cross_encoder import CROSS_LOSSES
from likewise.methods.cross_encoder import cross_objective
from likewise.models.cross_encoder import from_encoder, load_cross_encoder
from likewise.training.fit import Fit
from likewise.training.options import TrainingOptions

SHARED = Path(__file__).parents[2] / "shared/data"


def pairs(n: int) -> list[tuple[str, str]]:
    """Pairs in an order that has nothing to do with their length, none of them twice."""
    data = likewise.read(SHARED / "stsb/train.csv.gz") if SHARED.exists() else stdlib_code().train
    first, second = (data.text_lists(role) for role in data.text_roles()[:2])
    found = list(dict.fromkeys((a[0], b[0]) for a, b in zip(first, second, strict=True)))
    order = np.random.default_rng(0).permutation(len(found))[:n]
    return [found[i] for i in order]


def bench_predicting(folder: str, asked: list[tuple[str, str]], repeats: int) -> None:
    """Seconds of `predict`, and how far the scores are from one another."""
    theirs = PeerCrossEncoder(folder, device="cpu")
    half = PeerCrossEncoder(folder, device="cpu", model_kwargs={"torch_dtype": torch.bfloat16})
    model = load_cross_encoder(folder, device="cpu")

    def seconds_of(predict: Callable[..., object], **options: str) -> float:
        began = time.perf_counter()
        predict(asked, **options)
        return time.perf_counter() - began

    seconds = machine.against_peer(
        lambda bf16: seconds_of((half if bf16 else theirs).predict),
        lambda precision: seconds_of(model.predict, precision=precision),
        repeats,
    )
    machine.report("cross-encoder", seconds, work=len(asked), unit="pairs", ours="likewise")
    reference = theirs.predict(asked[:500])
    wide, fast = (model.predict(asked[:500], precision=p) for p in ("float32", "auto"))
    print(
        f"  largest difference to the peer's scores: float32 {np.abs(wide - reference).max():.2e}, "
        f"as chosen here {np.abs(fast - reference).max():.2e}; the peer's own bfloat16 "
        f"{np.abs(half.predict(asked[:500]) - reference).max():.2e}"
    )


def scored(n: int) -> Dataset:
    """Scored pairs: STS-B's where they are, else code with its own summary and with another's."""
    if SHARED.exists():
        data = likewise.read(SHARED / "stsb/train.csv.gz")
        return data.take(np.random.default_rng(0).permutation(len(data))[:n])
    pairs = stdlib_code().train.take(range(n))
    order = np.where(np.arange(n) % 2, np.roll(np.arange(n), 1), np.arange(n))
    table = {
        "sentence1": pairs.table.column("anchor"),
        "sentence2": pairs.table.column("positive").take(order),
        "score": (np.arange(n) % 2 == 0).astype(np.float64),
    }
    columns = {role: role for role in table}
    return replace(pairs, kind="scored", table=pa.table(table), columns=columns, score_range=(0, 1))


def bench_training(folder: str, data: Dataset, repeats: int, *, batch: int = 32) -> None:
    """Seconds of an epoch of binary cross-entropy on scores, with dropout on both sides."""
    low, high = data.score_range
    rows = {
        "sentence1": data.texts("sentence1"),
        "sentence2": data.texts("sentence2"),
        "label": ((data.numbers("score") - low) / (high - low)).tolist(),
    }

    def ours(precision: str) -> float:
        model = load_cross_encoder(folder, device="cpu")
        options = TrainingOptions(
            batch_size=batch, learning_rate=2e-5, precision=precision, checkpoint_every=10_000
        )
        with tempfile.TemporaryDirectory() as scratch:
            began = time.perf_counter()
            fit = Fit(encoder=model, options=options, folder=Path(scratch))
            fit(data, cross_objective(CROSS_LOSSES["binary-cross-entropy"]))
            return time.perf_counter() - began

    seconds = machine.against_peer(
        lambda bf16: peer.cross_train_seconds(folder, rows, batch=batch, bf16=bf16), ours, repeats
    )
    machine.report("cross-encoder training", seconds, work=len(data), unit="pairs", ours="likewise")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--rows", type=int, default=640, help="to train on")
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "cross"
        from_encoder("minilm", classes=1, seed=1).save(folder)
        bench_predicting(str(folder), pairs(asked.pairs), asked.repeats)
        bench_training(str(folder), scored(asked.rows), asked.repeats)


if __name__ == "__main__":
    main()
