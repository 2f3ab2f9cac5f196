"""On a GPU against sentence-transformers with its best settings there, and the largest batch.

    python bench/gpu.py [--rows 4096] [--batch 128] [--texts 20000] [--repeats 5]
    python bench/gpu.py --smoke     # tiny sizes, on a CPU too: it runs, its figures say nothing

MiniLM, and an encoder of BERT-base's size with random weights; docstrings and code of the standard
library, lengths mixed, at most 256 tokens. The peer runs in bfloat16 with torch's attention, and
with FlashAttention too where flash_attn is installed; the faster of the two is what counts. Both
sides take the model's dropout, and then none: with none Likewise has torch's varlen kernel.
Largest batch: gradient-cached MNR, the batch doubled until memory ends.
"""

import argparse
import importlib.util
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import (
    CachedMultipleNegativesRankingLoss,
    MultipleNegativesRankingLoss,
)
from torch import nn

import likewise
import peer
from likewise.data.builtin import stdlib_code
from likewise.losses import LOSSES
from likewise.training.fit import Fit
from likewise.training.objective import objective_of
from likewise.training.options import TrainingOptions
from machine import RESULTS, alternate

LIMIT = 256
OURS = "likewise"
MODELS = {"minilm": "minilm", "bert-base": "scratch:base"}
SMOKE_MODELS = {"mini": "scratch:mini"}
Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Sizes:
    """How much is run: rows and batch of training, texts to encode, the largest batch tried."""

    rows: int
    batch: int
    texts: int
    most: int
    repeats: int


SMOKE = Sizes(rows=8, batch=4, texts=8, most=16, repeats=1)


def rows(n: int) -> Pairs:
    data = stdlib_code().train
    pairs = list(zip(data.texts("anchor"), data.texts("positive"), strict=True))
    return (pairs * (n // len(pairs) + 1))[:n]


def settle(device: str) -> None:
    """Wait for all that was queued, so that a clock tells the truth."""
    if device == "cuda":
        torch.cuda.synchronize()


def attentions(device: str) -> list[str]:
    flash = device == "cuda" and importlib.util.find_spec("flash_attn") is not None
    return ["sdpa", *(["flash_attention_2"] if flash else [])]


def peer_model(folder: str, device: str, attention: str, dropout: float | None = None):
    model = SentenceTransformer(
        folder, device=device, model_kwargs={"attn_implementation": attention}
    )
    model.max_seq_length = LIMIT
    if dropout is not None:
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.p = dropout
    return model


def peer_train(model: SentenceTransformer, loss: nn.Module, pairs: Pairs, batch: int) -> float:
    """Seconds of one epoch in bfloat16."""
    columns = {"anchor": [a for a, _ in pairs], "positive": [b for _, b in pairs]}
    device = model.device.type
    return peer.train_seconds(model, loss, columns, batch=batch, bf16=True, device=device)


def our_train(folder: str, device: str, pairs: Pairs, batch: int, **options) -> float:
    """Seconds of one epoch in bfloat16, reading left out."""
    encoder = likewise.load(folder, device=device)
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "pairs.jsonl"
        file.write_text("".join(json.dumps({"anchor": a, "positive": b}) + "\n" for a, b in pairs))
        data = likewise.read(file)
        chosen = TrainingOptions(
            batch_size=batch,
            learning_rate=2e-5,
            max_tokens=LIMIT,
            precision="bfloat16",
            checkpoint_every=10_000,
            **options,
        )
        began = time.perf_counter()
        Fit(encoder=encoder, options=chosen, folder=Path(scratch) / "run")(
            data, objective_of(LOSSES["mnr"])
        )
        settle(device)
        return time.perf_counter() - began


def training(folder: str, device: str, sizes: Sizes, dropout: float | None) -> dict:
    pairs = rows(sizes.rows)
    micro = LIMIT * 2 * sizes.batch  # one part: nothing is computed twice

    def theirs(attention: str) -> float:
        model = peer_model(folder, device, attention, dropout)
        return peer_train(model, MultipleNegativesRankingLoss(model), pairs, sizes.batch)

    runs: dict[str, Callable[[], float]] = {
        f"sentence-transformers {name}": lambda name=name: theirs(name)
        for name in attentions(device)
    }
    runs[OURS] = lambda: our_train(
        folder, device, pairs, sizes.batch, dropout=dropout, micro_tokens=micro
    )
    return compared(runs, sizes.repeats, len(pairs), "pairs")


def encoding(folder: str, device: str, sizes: Sizes) -> dict:
    texts = list(dict.fromkeys(text for pair in rows(sizes.texts) for text in pair))[: sizes.texts]
    model = likewise.load(folder, device=device)
    model.tokenizer.max_tokens = LIMIT

    def ours() -> float:
        began = time.perf_counter()
        model.encode(texts, precision="bfloat16")
        return time.perf_counter() - began

    def theirs(other: SentenceTransformer, batch: int) -> float:
        began = time.perf_counter()
        other.encode(texts, batch_size=batch)
        return time.perf_counter() - began

    runs: dict[str, Callable[[], float]] = {}
    for name in attentions(device):
        other = peer_model(folder, device, name).to(torch.bfloat16)
        for batch in (32, 256):
            runs[f"sentence-transformers {name}, batch {batch}"] = lambda other=other, n=batch: (
                theirs(other, n)
            )
    runs[OURS] = ours
    return compared(runs, sizes.repeats, len(texts), "texts")


def compared(runs: dict[str, Callable[[], float]], repeats: int, work: int, unit: str) -> dict:
    """Each once to warm up, then in turn: medians, and ours against the best of the others."""
    for run in runs.values():
        run()
    seconds = alternate(runs, repeats)
    median = {name: statistics.median(values) for name, values in seconds.items()}
    best = min((name for name in median if name != OURS), key=median.__getitem__)
    ratio = median[best] / median[OURS]
    for name, value in median.items():
        print(f"  {name:48} {work / value:10.1f} {unit}/s")
    print(f"  {OURS} is {ratio:.2f} x as fast as {best}", flush=True)
    return {"seconds": seconds, "median": median, "work": work, "unit": unit, "ratio": ratio}


def largest(step: Callable[[int], object], device: str, most: int) -> dict:
    """Double the batch until memory ends, or at `most`."""
    found, batch = {"batch": 0, "gigabytes": 0.0}, min(1024, most)
    while batch <= most:
        if device == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        try:
            step(batch)
        except torch.cuda.OutOfMemoryError:
            break
        peak = torch.cuda.max_memory_allocated() / 1e9 if device == "cuda" else 0.0
        found = {"batch": batch, "gigabytes": peak}
        print(f"  batch {batch:,}: {peak:.1f} GB", flush=True)
        batch *= 2
    return found


def largest_batches(folder: str, device: str, sizes: Sizes) -> dict:
    def ours(batch: int) -> None:
        our_train(folder, device, rows(batch), batch, micro_tokens=32_768)

    def theirs(batch: int) -> None:
        model = peer_model(folder, device, "sdpa")
        loss = CachedMultipleNegativesRankingLoss(model, mini_batch_size=128)
        peer_train(model, loss, rows(batch), batch)

    return {
        OURS: largest(ours, device, sizes.most),
        "sentence-transformers": largest(theirs, device, sizes.most),
    }


def works(folder: str, device: str, sizes: Sizes) -> dict[str, Callable[[], dict]]:
    return {
        "training, dropout of the model": lambda: training(folder, device, sizes, None),
        "training, no dropout": lambda: training(folder, device, sizes, 0.0),
        "encoding": lambda: encoding(folder, device, sizes),
        "largest cached batch": lambda: largest_batches(folder, device, sizes),
    }


def measure(device: str, models: dict[str, str], sizes: Sizes) -> dict:
    found: dict[str, dict] = {}
    for name, base in models.items():
        with tempfile.TemporaryDirectory() as scratch:
            folder = str(likewise.load(base, device="cpu").save(Path(scratch) / "model"))
            for work, run in works(folder, device, sizes).items():
                print(f"\n{name}: {work}", flush=True)
                found[f"{name}: {work}"] = run()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=4096)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--texts", type=int, default=20_000)
    parser.add_argument("--most", type=int, default=262_144, help="Largest batch tried.")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--smoke", action="store_true", help="Tiny sizes, on a CPU too.")
    asked = parser.parse_args()
    here = torch.cuda.is_available()
    if not here and not asked.smoke:
        sys.exit("this bench needs a CUDA device, and torch finds none; --smoke runs without one")
    device = "cuda" if here else "cpu"
    if asked.smoke:
        measure(device, SMOKE_MODELS, SMOKE)
        print("\na smoke run: nothing was kept")
        return
    sizes = Sizes(asked.rows, asked.batch, asked.texts, asked.most, asked.repeats)
    found = {
        "title": "gpu",
        "date": date.today().isoformat(),
        "device": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "results": measure(device, MODELS, sizes),
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "gpu.json"
    path.write_text(json.dumps(found, indent=2) + "\n")
    print(f"\nkept in {path}")


if __name__ == "__main__":
    main()
