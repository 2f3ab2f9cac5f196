"""Mining hard negatives: against sentence-transformers, and the memory of a million documents.

    python bench/mining.py [--pairs 50000] [--model minilm]     against its mine_hard_negatives
    python bench/mining.py --million [--documents 1000000] [--anchors 100000] [--index exact]

Each side has a process of its own, so that its peak of memory is its own. Both mine one negative a
pair from ranks 1 to 100, 5 % below the positive; ours in float32 too, and how many rows then have
the same one. The million are random vectors of 384 numbers, embedded by no model: seconds and
memory are those of searching and judging. What is mapped from files the system drops at will.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from texts import Memory

RANKS, MARGIN = 100, 0.05
SIDES = ("sentence-transformers", "likewise float32", "likewise")


def theirs(file: Path, model: str) -> list[str | None]:
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.util import mine_hard_negatives

    from likewise.models.source import resolve_model

    rows = [json.loads(line) for line in file.read_text().splitlines()]
    found = mine_hard_negatives(
        Dataset.from_list(rows),
        SentenceTransformer(str(resolve_model(model)), device="cpu"),
        range_max=RANKS,
        relative_margin=MARGIN,
        num_negatives=1,
        batch_size=32,
        verbose=False,
    )
    negatives = dict(zip(found["anchor"], found["negative"], strict=True))
    return [negatives.get(row["anchor"]) for row in rows]


def ours(file: Path, model: str, precision: str) -> list[str | None]:
    import likewise

    found = likewise.mine(
        model,
        likewise.read(file),
        out=file.with_suffix(".mined.jsonl"),
        overwrite=True,
        to_rank=RANKS,
        relative_margin=MARGIN,
        precision=precision,
        index="exact",
    )
    return found.data.texts("negative")


def million(documents: int, anchors: int, width: int, index: str) -> list[str]:
    import likewise

    def embed(texts, *, role=None):
        """Of an anchor the vector of its document, half hidden by noise."""
        vectors = np.empty((len(texts), width), np.float32)
        for i, text in enumerate(texts):
            number = int(re.findall(r"\d+", text)[0])
            vectors[i] = np.random.default_rng(number).normal(size=width)
            if role == "query":
                vectors[i] += np.random.default_rng(10**9 + number).normal(size=width)
        return vectors

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pairs.jsonl"
        with file.open("w") as out:
            for i in range(anchors):
                out.write(json.dumps({"anchor": f"anchor {i}", "positive": f"text {i}"}) + "\n")
        found = likewise.mine(
            embed,
            likewise.read(file),
            corpus=[f"text {i}" for i in range(anchors, documents)],
            out=Path(folder) / "mined.jsonl",
            index=index,
            progress=True,
        )
    return [str(note) for note in found.notes]


def inside(asked: argparse.Namespace) -> None:
    """In the process of its own: one JSON line."""
    memory, began = Memory(), time.perf_counter()
    if asked.inside == "million":
        found = million(asked.documents, asked.anchors, asked.width, asked.index)
    elif asked.inside == SIDES[0]:
        found = theirs(asked.file, asked.model)
    else:
        precision = "float32" if asked.inside == SIDES[1] else "auto"
        found = ours(asked.file, asked.model, precision)
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, **memory.since(), "found": found}))


def run(side: str, *options: object) -> dict:
    command = [sys.executable, __file__, "--inside", side, *map(str, options)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    told = json.loads(done.stdout.splitlines()[-1])
    print(
        f"  {side:24} {told['seconds']:8.1f} s   {told['RssAnon']:.2f} GB held, "
        f"{told['RssFile']:.2f} GB mapped",
        flush=True,
    )
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=50_000)
    parser.add_argument("--model", default="minilm")
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--anchors", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--index", default="exact")
    parser.add_argument("--inside", help="used by the script itself")
    parser.add_argument("--file", type=Path, help="used by the script itself")
    asked = parser.parse_args()
    if asked.inside:
        inside(asked)
    elif asked.million:
        sizes = ("--documents", asked.documents, "--anchors", asked.anchors)
        print(f"{asked.anchors:,} anchors, {asked.documents:,} documents x {asked.width}")
        told = run("million", *sizes, "--width", asked.width, "--index", asked.index)
        print(*(f"  {note}" for note in told["found"]), sep="\n")
    else:
        against_peer(asked)


def against_peer(asked: argparse.Namespace) -> None:
    from datetime import date

    import machine
    from caching import pairs
    from train import write

    with tempfile.TemporaryDirectory() as folder:
        file = write(pairs(asked.pairs), Path(folder) / "pairs.jsonl")
        print(f"{asked.pairs:,} pairs, {asked.model}")
        told = {side: run(side, "--file", file, "--model", asked.model) for side in SIDES}
    first, exact = (told[side].pop("found") for side in SIDES[:2])
    told[SIDES[2]].pop("found")
    both = [(a, b) for a, b in zip(first, exact, strict=True) if a and b]
    same = sum(a == b for a, b in both) / max(len(both), 1)
    print(f"  the same negative in {same:.2%} of {len(both):,} rows where both have one")
    ratios = {side: told[SIDES[0]]["seconds"] / told[side]["seconds"] for side in SIDES[1:]}
    for side, ratio in ratios.items():
        print(f"  {side} is {ratio:.2f} x as fast")
    machine.RESULTS.mkdir(exist_ok=True)
    found = {"date": date.today().isoformat(), "pairs": asked.pairs, "sides": told, "same": same}
    path = machine.RESULTS / "mining.json"
    path.write_text(json.dumps({**found, "ratio": ratios}, indent=2) + "\n")


if __name__ == "__main__":
    main()
