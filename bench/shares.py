"""What of an epoch is not arithmetic: tokenising, and making batches with duplicates kept apart.

    python bench/shares.py [--rows 3200] [--batch 64]

and what a command costs before it does anything: `likewise --help`, `import likewise`.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import likewise
import machine
from caching import pairs
from likewise.data.dataset import Dataset
from likewise.losses import LOSSES
from likewise.models.encoder import Encoder
from likewise.training.batch import Batch
from likewise.training.feed import Feed
from likewise.training.fit import Fit
from likewise.training.objective import objective_of
from likewise.training.options import TrainingOptions
from train import write


class Timed:
    """An objective's feed with a clock around what it does."""

    def __init__(self) -> None:
        self.objective = objective_of(LOSSES["mnr"])
        self.tokenising = self.batches = 0.0

    def feed(self, encoder: Encoder, data: Dataset, options: TrainingOptions) -> Feed:
        began = time.perf_counter()
        made = self.objective.feed(encoder, data, options)
        self.tokenising += time.perf_counter() - began

        def collate(rows: NDArray[np.int64], step: int) -> Batch:
            began = time.perf_counter()
            batch = made.collate(rows, step)
            self.batches += time.perf_counter() - began
            return batch

        return replace(made, collate=collate)


def shares(rows: int, batch: int) -> dict[str, float]:
    timed, encoder = Timed(), likewise.load("minilm", device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        data = likewise.read(write(pairs(rows), Path(folder) / "pairs.jsonl"))
        options = TrainingOptions(batch_size=batch, learning_rate=2e-5, checkpoint_every=10**6)
        fit = Fit(encoder=encoder, options=options, folder=Path(folder))
        began = time.perf_counter()
        fit(data, replace(timed.objective, feed=timed.feed))
        whole = time.perf_counter() - began
    return {
        "rows": rows,
        "epoch, seconds": whole,
        "tokenising, share": timed.tokenising / whole,
        "making batches, share": timed.batches / whole,
    }


def seconds_of(*command: str) -> float:
    """Median of nine starts."""
    found = []
    for _ in range(9):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=3200)
    parser.add_argument("--batch", type=int, default=64)
    asked = parser.parse_args()
    nothing = seconds_of(sys.executable, "-c", "pass")
    found = {
        "likewise --help, seconds": seconds_of(
            str(Path(sys.executable).with_name("likewise")), "--help"
        ),
        "import likewise, seconds beyond an empty Python": seconds_of(
            sys.executable, "-c", "import likewise"
        )
        - nothing,
        **shares(asked.rows, asked.batch),
    }
    for name, value in found.items():
        print(f"{name:50} {value:.4f}")
    (machine.RESULTS / "shares.json").write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
