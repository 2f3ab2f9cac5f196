"""Large batches by gradient caching: against sentence-transformers, its cost, and its memory.

    python bench/caching.py [--batch 4096] [--repeats 3]        against its cached loss
    python bench/caching.py --cost [--batch 512]                over the plain step at equal batch
    python bench/caching.py --memory 16384                      peak of a process that trains so

Pairs are drawn from ../shared/data's NLI where it is, else the standard library's, with a number
behind each so that no two are equal. All learn by MNR with MiniLM; the peer's mini-batches have 64
rows, twice its default, which is faster here.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sentence_transformers.sentence_transformer.losses import CachedMultipleNegativesRankingLoss

import likewise
import machine
import peer
from likewise.data.builtin import stdlib_code
from likewise.models.source import resolve_model
from train import Task, ours, write

NLI = Path(__file__).parents[2] / "shared/data/nli/train.csv.gz"
MINI = 64


def pairs(count: int) -> Task:
    if NLI.exists():
        data = likewise.read(NLI)
        found = list(zip(data.texts("premise"), data.texts("hypothesis"), strict=True))
    else:
        data = stdlib_code().train
        found = list(zip(data.texts("anchor"), data.texts("positive"), strict=True))
    random.Random(0).shuffle(found)
    rows = [found[i % len(found)] for i in range(count)]
    columns = {
        "anchor": [f"{first} {i}" for i, (first, _) in enumerate(rows)],
        "positive": [f"{second} {i}" for i, (_, second) in enumerate(rows)],
    }
    return Task(
        "mnr",
        columns,
        lambda model: CachedMultipleNegativesRankingLoss(model, mini_batch_size=MINI),
    )


def against_peer(asked: argparse.Namespace, scratch: Path) -> None:
    task, folder = pairs(asked.batch), str(resolve_model("minilm"))
    file = write(task, scratch / "pairs.jsonl")

    def theirs(bf16: bool) -> float:
        return peer.train(folder, task.columns, task.loss, batch=asked.batch, bf16=bf16)[1]

    seconds = machine.against_peer(
        theirs, lambda precision: ours(task, file, asked.batch, precision), asked.repeats
    )
    machine.report("training cached", seconds, work=asked.batch, unit="pairs", ours="likewise")


def cost(asked: argparse.Namespace, scratch: Path) -> None:
    task = pairs(4 * asked.batch)
    file = write(task, scratch / "pairs.jsonl")
    seconds = machine.alternate(
        {
            "in one piece": lambda: ours(task, file, asked.batch, "auto", micro_tokens=10**7),
            "cached": lambda: ours(task, file, asked.batch, "auto"),
        },
        asked.repeats,
    )
    work = 4 * asked.batch
    machine.report("caching cost", seconds, work=work, unit="pairs", ours="cached")


def memory(batch: int, tokens: int, scratch: Path) -> None:
    """Of `likewise train` itself, a process without the peer."""
    file, dev = write(pairs(batch), scratch / "pairs.jsonl"), scratch / "dev.jsonl"
    rows = ({"anchor": f"may {i}", "positive": f"can {i}"} for i in range(20))
    dev.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [sys.executable, "-m", "likewise", "train", file, "--method", "mnr"]
    command += ["--base", "minilm", "--dev", dev, "--batch-size", batch, "--epochs", "1"]
    command += ["--learning-rate", "2e-5", "--evaluations", "0", "--keep", "last", "--quiet"]
    command += ["--out", scratch / "run", "--micro-tokens", tokens]
    began = time.perf_counter()
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    seconds = time.perf_counter() - began
    print(f"likewise train, one step of {batch:,} pairs: {seconds:.0f} s, peak {peak:.2f} GB")
    path = machine.RESULTS / "caching-memory.json"
    found = {"batch": batch, "micro_tokens": tokens, "peak_gb": peak, "seconds": seconds}
    path.write_text(json.dumps(found, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--memory", type=int)
    parser.add_argument("--tokens", type=int, default=4096, help="of a part, with --memory")
    asked = parser.parse_args()
    asked.batch = asked.batch or (512 if asked.cost else 4096)
    with tempfile.TemporaryDirectory() as scratch:
        if asked.memory:
            memory(asked.memory, asked.tokens, Path(scratch))
        elif asked.cost:
            cost(asked, Path(scratch))
        else:
            against_peer(asked, Path(scratch))


if __name__ == "__main__":
    main()
