"""Encoding against sentence-transformers: same texts, same weights.

    python bench/encode.py [--texts 10000] [--repeats 3] [--onnx]

With `--onnx` beside ONNX Runtime's int8 too; see onnx_int8.py.
Texts are STS-B and AG News where ../shared/data is there, else the standard library's functions.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

import likewise
import machine
import peer
from likewise.data.builtin import stdlib_code
from likewise.models.int8 import loss_of_quality
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
    parser.add_argument("--onnx", action="store_true", help="beside ONNX Runtime's int8 too")
    asked = parser.parse_args()
    chosen = texts(asked.texts)
    folder = str(resolve_model("minilm"))
    theirs, half = peer.load(folder), peer.load(folder, bf16=True)
    model = likewise.load("minilm", device="cpu")

    def ours(precision: str) -> float:
        began = time.perf_counter()
        model.encode(chosen, precision=precision)
        return time.perf_counter() - began

    def by_onnx() -> float:
        began = time.perf_counter()
        onnx.encode(chosen)
        return time.perf_counter() - began

    more = {"likewise int8": lambda: ours("int8")}
    if asked.onnx:
        from onnx_int8 import OnnxInt8

        with tempfile.TemporaryDirectory() as scratch:
            onnx = OnnxInt8(folder, Path(scratch))
        more["ONNX Runtime int8"] = by_onnx
    seconds = machine.against_peer(
        lambda bf16: peer.encode_seconds(half if bf16 else theirs, chosen),
        ours,
        asked.repeats,
        more=more,
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
    full = model.encode(chosen[:500], precision="float32")
    for precision in ("bfloat16", "int8"):
        mean, lowest = loss_of_quality(full, model.encode(chosen[:500], precision=precision))
        print(f"  {precision} against float32: mean cosine {mean:.6f}, lowest {lowest:.6f}")
    if asked.onnx:
        mean, lowest = loss_of_quality(full, onnx.encode(chosen[:500]))
        print(f"  ONNX Runtime int8: mean cosine {mean:.6f}, lowest {lowest:.6f}")
    reference = theirs.encode(chosen[:500])
    print(f"  largest difference of float32 to the peer's: {np.abs(full - reference).max():.2e}")


if __name__ == "__main__":
    main()
