"""The plan against what then happens: time, tokens a second, peak memory, and --minutes.

    HF_HUB_OFFLINE=1 PYTHONPATH=bench python bench/plan.py [--minutes 2]

Each set-up runs in a process of its own, so that the peak is its own.
"""

import argparse
import json
import multiprocessing
import tempfile
import threading
import time
from datetime import date
from pathlib import Path
from typing import Any

import psutil

import likewise
import machine
from likewise.data.builtin import stdlib_code
from likewise.data.dataset import Dataset
from likewise.losses import LOSSES
from likewise.training.fit import PROBE_SECONDS, Fit
from likewise.training.objective import objective_of
from likewise.training.options import TrainingOptions
from likewise.training.plan import Plan

STSB = Path(__file__).parents[2] / "shared/data/stsb/train.csv.gz"
BOUND, CLOCK_BOUND = 0.15, 0.05


def stsb_or_code() -> Dataset:
    return likewise.read(STSB) if STSB.exists() else stdlib_code().train


SETUPS: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "short pairs": (stsb_or_code, "cosine" if STSB.exists() else "mnr", {"batch_size": 64}),
    "code, long-tailed": (
        lambda: stdlib_code().train,
        "mnr",
        {"batch_size": 32, "max_tokens": 256, "epochs": 0.5},
    ),
    "gradient-cached": (
        lambda: stdlib_code().train,
        "mnr",
        {"batch_size": 1024, "micro_tokens": 4096, "max_tokens": 128},
    ),
}


class Peak(threading.Thread):
    """The most memory of this process from when it is started."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0

    def run(self) -> None:
        process = psutil.Process()
        while True:
            self.most = max(self.most, process.memory_info().rss)
            time.sleep(0.01)


def measure(name: str, minutes: float | None) -> dict[str, float]:
    """Plan and train once: each figure as it was said, and as it came."""
    rows, loss, options = SETUPS[name]
    data, encoder = rows(), likewise.load("minilm", device="cpu")
    told: list[tuple[Plan, float]] = []
    peak, tokens = Peak(), []

    def announce(plan: Plan) -> None:
        told.append((plan, time.monotonic()))
        peak.start()

    with tempfile.TemporaryDirectory() as folder:
        fit = Fit(
            encoder=encoder,
            options=TrainingOptions(learning_rate=2e-5, minutes=minutes, **options),
            folder=Path(folder) / "checkpoints",
            observers=(lambda event: tokens.append(getattr(event, "tokens", 0)),),
            probe_seconds=PROBE_SECONDS,
            announce=announce,
        )
        fit(data, objective_of(LOSSES[loss]))
        encoder.save(Path(folder) / "model")
    (plan, began), progress = told[0], fit.progress
    cost = plan.cost
    return {
        "steps": progress.step,
        "steps_planned": plan.expected_steps,
        "seconds": progress.seconds,
        "seconds_planned": plan.train_seconds,
        "tokens_per_second": sum(tokens) / progress.seconds,
        "tokens_per_second_planned": cost.tokens_per_second,
        "peak_bytes": peak.most,
        "peak_bytes_planned": cost.memory,
        "wall_seconds": time.monotonic() - began,
        "wall_seconds_planned": 60 * minutes if minutes else plan.all_seconds,
    }


def work(name: str, minutes: float | None, found: Any) -> None:
    found.put(measure(name, minutes))


def apart(name: str, minutes: float | None = None) -> dict[str, float]:
    """In another process."""
    context = multiprocessing.get_context("spawn")
    found = context.Queue()
    process = context.Process(target=work, args=(name, minutes, found))
    process.start()
    result = found.get()
    process.join()
    return result


def tell(name: str, found: dict[str, float], keys: dict[str, float]) -> None:
    print(f"\n{name}: {found['steps']:,} steps, {found['steps_planned']:,} planned")
    for key, bound in keys.items():
        said, came = found[f"{key}_planned"], found[key]
        off = came / said - 1
        mark = "within" if abs(off) <= bound else "NOT within"
        print(
            f"  {key:18} planned {said:14,.1f}  came {came:14,.1f}  {off:+.1%}, {mark} {bound:.0%}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0, help="of the run by the clock")
    minutes = parser.parse_args().minutes
    found = {}
    for name in SETUPS:
        found[name] = apart(name)
        tell(
            name, found[name], dict.fromkeys(("seconds", "tokens_per_second", "peak_bytes"), BOUND)
        )
    clock = f"{minutes:g} minutes of short pairs"
    found[clock] = apart("short pairs", minutes)
    tell(clock, found[clock], {"wall_seconds": CLOCK_BOUND})
    machine.RESULTS.mkdir(exist_ok=True)
    path = machine.RESULTS / "plan.json"
    path.write_text(json.dumps({"date": date.today().isoformat(), "found": found}, indent=2) + "\n")
    print(f"  kept in {path}")


if __name__ == "__main__":
    main()
