"""What the machine itself can do, and how a bench prints and keeps its figures."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import torch

RESULTS = Path(__file__).parent / "results"


def matmul_rate(dtype: torch.dtype, *, seconds: float = 1.0) -> float:
    """GFLOP/s of one large matmul, the ceiling of everything else."""
    a, b = torch.randn(2048, 2048).to(dtype), torch.randn(2048, 2048).to(dtype)
    a @ b
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        a @ b
        done += 1
    return 2 * 2048**3 * done / (time.perf_counter() - began) / 1e9


def alternate(runs: dict, repeats: int) -> dict[str, list[float]]:
    """Run each in turn, `repeats` times over, so that a noisy minute hits all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for i in range(repeats):
        for name, run in runs.items():
            seconds[name].append(run())
            print(f"  repeat {i + 1}: {name} {seconds[name][-1]:.2f} s", flush=True)
    return seconds


def against_peer(
    theirs: Callable[[bool], float],
    ours: Callable[[str], float],
    repeats: int,
    *,
    more: dict[str, Callable[[], float]] | None = None,
) -> dict[str, list[float]]:
    """Seconds of both sides in both precisions, in turn.

    Args:
        theirs: from whether in bfloat16 to seconds.
        ours: from a precision, "float32" or "auto", to seconds.
        repeats: of each.
        more: further runs, by name.
    """
    runs = {
        "sentence-transformers float32": lambda: theirs(False),
        "sentence-transformers bfloat16": lambda: theirs(True),
        "likewise float32": lambda: ours("float32"),
        **(more or {}),
        "likewise": lambda: ours("auto"),
    }
    return alternate(runs, repeats)


def operations(encoder: Any, tokens: int) -> float:
    """Of one pass forward: two for each weight of a matrix of a layer, for each token."""
    matrices = [p for p in encoder.backbone.layers.parameters() if p.dim() == 2]
    return 2.0 * tokens * sum(matrix.numel() for matrix in matrices)


def report(
    title: str,
    seconds: dict[str, list[float]],
    *,
    work: int,
    unit: str,
    ours: str,
    operations: float | None = None,
) -> None:
    """Print medians and ratios, with the share of the matmul ceiling, and keep them as JSON."""
    median = {name: statistics.median(values) for name, values in seconds.items()}
    print(
        f"\n{title}: {work:,} {unit}, {platform.processor() or platform.machine()}, "
        f"{os.cpu_count()} cores, torch {torch.__version__}"
    )
    for name, value in median.items():
        print(
            f"  {name:32} {work / value:10.1f} {unit}/s   {ours} is "
            f"{value / median[ours]:.2f} x as fast"
        )
    rates = {str(d).removeprefix("torch."): matmul_rate(d) for d in (torch.float32, torch.bfloat16)}
    print("  one large matmul: " + ", ".join(f"{k} {v:.0f} GFLOP/s" for k, v in rates.items()))
    share = None
    if operations is not None:
        reached = operations / median[ours] / 1e9
        share = reached / max(rates.values())
        print(f"  {ours} reaches {reached:.0f} GFLOP/s, {share:.0%} of it")
    RESULTS.mkdir(exist_ok=True)
    found = {
        "title": title,
        "date": date.today().isoformat(),
        "unit": unit,
        "work": work,
        "seconds": seconds,
        "median": median,
        "matmul_gflops": rates,
        "share_of_matmul": share,
        "ratio": {name: value / median[ours] for name, value in median.items()},
    }
    path = RESULTS / f"{title.replace(' ', '-')}.json"
    path.write_text(json.dumps(found, indent=2) + "\n")
    print(f"  kept in {path}")
