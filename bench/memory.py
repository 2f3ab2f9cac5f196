"""Whether the memory of a long run stays flat: every step has another number of tokens.

    python bench/memory.py [--steps 2000] [--batch 16]

MNR with MiniLM on pairs of ../shared/data's NLI, or the standard library's; see caching.py.
"""

import argparse
import json
import tempfile
from datetime import date
from pathlib import Path

import psutil

import machine
from caching import pairs
from likewise.training.events import StepDone
from train import ours, write


class Watched:
    """The memory of this process after every step, and how many sizes of a batch there were."""

    def __init__(self) -> None:
        self.process = psutil.Process()
        self.gigabytes: list[float] = []
        self.sizes: set[int] = set()

    def __call__(self, event: object) -> None:
        if isinstance(event, StepDone):
            self.gigabytes.append(self.process.memory_info().rss / 1e9)
            self.sizes.add(event.tokens)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=16)
    asked = parser.parse_args()
    task, watched = pairs(asked.steps * asked.batch), Watched()
    with tempfile.TemporaryDirectory() as scratch:
        file = write(task, Path(scratch) / "pairs.jsonl")
        seconds = ours(task, file, asked.batch, "auto", watched)
    used = watched.gigabytes
    tenth = len(used) // 10
    tenths = [max(used[i : i + tenth]) for i in range(0, len(used), tenth)]
    print(f"{len(used):,} steps in {seconds:.0f} s, {len(watched.sizes):,} sizes of a batch")
    print("most memory in each tenth, GB: " + " ".join(f"{most:.2f}" for most in tenths))
    found = {"date": date.today().isoformat(), "steps": len(used), "gigabytes": tenths}
    (machine.RESULTS / "memory.json").write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
