"""MNR training against sentence-transformers: same pairs, weights, batch, epochs and dropout.

    python bench/train.py [--rows 1280] [--batch 64] [--repeats 3]

Pairs are STS-B's where ../shared/data is there, else the standard library's docstrings and code.
"""

import argparse
import json
import random
import tempfile
import time
from pathlib import Path

import likewise
import machine
import peer
from likewise.data.builtin import stdlib_code
from likewise.losses import LOSSES
from likewise.models.source import resolve_model
from likewise.training.fit import Fit
from likewise.training.objective import objective_of
from likewise.training.options import TrainingOptions

STSB = Path(__file__).parents[2] / "shared/data/stsb/train.csv.gz"


def rows(n: int) -> list[tuple[str, str]]:
    if STSB.exists():
        data = likewise.read(STSB)
        pairs = list(zip(data.texts("sentence1"), data.texts("sentence2"), strict=True))
        random.Random(0).shuffle(pairs)  # the file begins with its shortest genre
        return pairs[:n]
    data = stdlib_code().train
    return list(zip(data.texts("anchor"), data.texts("positive"), strict=True))[:n]


def ours(pairs_file: Path, batch: int, precision: str) -> float:
    encoder = likewise.load("minilm", device="cpu")
    data = likewise.read(pairs_file)
    with tempfile.TemporaryDirectory() as folder:
        options = TrainingOptions(
            batch_size=batch, learning_rate=2e-5, precision=precision, checkpoint_every=10_000
        )
        began = time.perf_counter()
        Fit(encoder=encoder, options=options, folder=Path(folder))(
            data, objective_of(LOSSES["mnr"])
        )
        return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1280)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    pairs = rows(asked.rows)
    folder = str(resolve_model("minilm"))
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "pairs.jsonl"
        file.write_text("".join(json.dumps({"anchor": a, "positive": b}) + "\n" for a, b in pairs))
        runs = {
            "sentence-transformers float32": lambda: peer.train_seconds(
                folder, pairs, batch=asked.batch, bf16=False
            ),
            "sentence-transformers bf16=True": lambda: peer.train_seconds(
                folder, pairs, batch=asked.batch, bf16=True
            ),
            "likewise float32": lambda: ours(file, asked.batch, "float32"),
            "likewise": lambda: ours(file, asked.batch, "auto"),
        }
        seconds = machine.alternate(runs, asked.repeats)
    machine.report("training mnr", seconds, work=len(pairs), unit="pairs", ours="likewise")


if __name__ == "__main__":
    main()
