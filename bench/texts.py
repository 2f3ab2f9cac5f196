"""Plain texts from disk: seconds and memory to read, tokenise and train on millions of them.

    python bench/texts.py [--lines 2000000] [--steps 5] [--only LINES_FILE]

Writes a file of that many lines of about 80 characters, and reads, tokenises and trains on it in
a process of its own. Prints after each phase: seconds, the peak of what only memory holds (that
is what a machine can run out of), and what is mapped from files, which the system drops at will.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

METHODS = ("simcse", "tsdae", "mlm", "distillation")  # the first that is there trains


def write_texts(path: Path, lines: int) -> None:
    """English-like lengths, about 80 characters a line; one in ten is not ASCII."""
    draw = random.Random(0)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(draw.choices(letters, k=draw.randint(2, 9))) for _ in range(20_000)]
    with path.open("w", encoding="utf-8") as file:
        for i in range(lines):
            text = " ".join(draw.choices(words, k=12))
            file.write(f"{text} {i}{' é?' if i % 10 == 0 else '.'}\n")


class Memory:
    """The highest point of each kind of memory since the last question."""

    def __init__(self) -> None:
        self.peak = {"RssAnon": 0, "RssFile": 0}
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            for line in Path("/proc/self/status").read_text().splitlines():
                name, _, value = line.partition(":")
                if name in self.peak:
                    self.peak[name] = max(self.peak[name], int(value.split()[0]))
            time.sleep(0.02)

    def since(self) -> dict[str, float]:
        found = {name: value / 1e6 for name, value in self.peak.items()}  # kB to GB
        self.peak = dict.fromkeys(self.peak, 0)
        return found


def measure(path: Path, steps: int) -> None:
    """In the process of its own: one JSON line a phase."""
    import likewise
    from likewise.methods import METHODS as KNOWN
    from likewise.methods.conversions import as_kind
    from likewise.methods.recipe import resolve_options
    from likewise.training.fit import Fit
    from likewise.training.options import TrainingOptions
    from likewise.training.text_rows import tokenise_texts

    encoder = likewise.load("minilm", device="cpu")
    memory, began = Memory(), time.perf_counter()

    def tell(phase: str) -> None:
        nonlocal began
        time.sleep(0.05)
        now = time.perf_counter()
        print(json.dumps({"phase": phase, "seconds": now - began, **memory.since()}), flush=True)
        began = now

    tell("start")
    data = likewise.read(path)
    tell("read")
    assert len(data.fingerprint) == 64
    tell("fingerprint")
    name = next(name for name in METHODS if name in KNOWN)
    options = TrainingOptions(
        batch_size=64, epochs=steps * 64 / len(data), checkpoint_every=10**9, keep="last"
    )
    with tempfile.TemporaryDirectory() as folder:
        fit = Fit(encoder=encoder, options=options, folder=Path(folder))
        rows = tokenise_texts(encoder, as_kind(fit, data, ("texts",)))
        tell("tokenise")
        assert len(rows) == len(data)
        del rows
        given = {"teacher": "minilm"} if name == "distillation" else {}
        KNOWN[name].function(fit, data, **resolve_options(name, given))
    tell(f"tokenise again, and {steps} steps of {name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=2_000_000)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--inside", type=Path, help="used by the script itself")
    asked = parser.parse_args()
    if asked.inside:
        measure(asked.inside, asked.steps)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.txt"
        write_texts(path, asked.lines)
        size = path.stat().st_size / 1e9
        command = [sys.executable, __file__, "--inside", str(path), "--steps", str(asked.steps)]
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    print(f"{asked.lines:,} lines, {size:.2f} GB")
    for line in told.splitlines():
        found = json.loads(line)
        print(
            f"  {found['phase']:44} {found['seconds']:7.1f} s   "
            f"{found['RssAnon']:.2f} GB held, {found['RssFile']:.2f} GB mapped"
        )


if __name__ == "__main__":
    main()
