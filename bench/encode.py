"""Encoding against sentence-transformers: same texts, same weights.

    python bench/encode.py [--texts 10000] [--repeats 3]

Texts are STS-B and AG News where ../shared/data is there, else the standard library's functions.
"""

import argparse
import time
from pathlib import Path

import numpy as np

import likewise
import machine
import peer
from likewise.data.builtin import stdlib_code
from likewise.models.source import resolve_model

SHARED = Path(__file__).parents[2] / "shared/data"


def texts(n: int) -> list[str]:
    if not SHARED.exists():
        return stdlib_code().train.all_texts()[:n]
    short = likewise.read(SHARED / "stsb/train.csv.gz").all_texts()
    long = likewise.read(SHARED / "agnews/train10k.csv.gz").all_texts()
    mixed = [text for pair in zip(short, long, strict=False) for text in pair]
    return mixed[:n]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    chosen = texts(asked.texts)
    folder = str(resolve_model("minilm"))
    theirs, half = peer.load(folder), peer.load(folder, bf16=True)
    model = likewise.load("minilm", device="cpu")

    def ours(precision: str) -> float:
        began = time.perf_counter()
        model.encode(chosen, precision=precision)
        return time.perf_counter() - began

    seconds = machine.alternate(
        {
            "sentence-transformers float32": lambda: peer.encode_seconds(theirs, chosen),
            "sentence-transformers bfloat16": lambda: peer.encode_seconds(half, chosen),
            "likewise float32": lambda: ours("float32"),
            "likewise": lambda: ours("auto"),
        },
        asked.repeats,
    )
    tokens = int(model.tokenize(list(dict.fromkeys(chosen))).lengths.sum())
    machine.report(
        "encoding",
        seconds,
        work=len(chosen),
        unit="texts",
        ours="likewise",
        operations=machine.operations(model, tokens),
    )
    full, fast = model.encode(chosen[:500], precision="float32"), model.encode(chosen[:500])
    reference = theirs.encode(chosen[:500])
    print(
        f"  mean cosine of likewise to its own float32: {_mean_cosine(full, fast):.6f}; "
        f"largest difference of float32 to the peer's: {np.abs(full - reference).max():.2e}"
    )


def _mean_cosine(a: np.ndarray, b: np.ndarray) -> float:
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b)]
    return float((unit[0] * unit[1]).sum(axis=1).mean())


if __name__ == "__main__":
    main()
