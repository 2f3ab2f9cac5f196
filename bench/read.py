"""How long and how large: a million rows of pairs, read and checked.

    python bench/read.py [ROWS]

Writes the file to a temporary folder, runs `likewise check` on it in a process of its own, and
prints seconds and peak memory beside what the contract allows (60 s, 2 GB for a million rows).
"""

import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHECK = "from likewise.cli.check import check; import sys; check([sys.argv[1]])"


def write_pairs(path: Path, rows: int) -> None:
    """English-like lengths: 9 words a query, 25 a passage; one row in ten is quoted, not ASCII."""
    draw = random.Random(0)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(draw.choices(letters, k=draw.randint(2, 9))) for _ in range(20_000)]
    with path.open("w", encoding="utf-8") as file:
        file.write("query,passage\n")
        for i in range(rows):
            query, passage = " ".join(draw.choices(words, k=9)), " ".join(draw.choices(words, k=25))
            file.write(f'"{query}, é?","{passage}."\n' if i % 10 == 0 else f"{query}?,{passage}.\n")


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pairs.csv"
        write_pairs(path, rows)
        size = path.stat().st_size / 1e6
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", CHECK, str(path)], check=True)
        seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6  # kB on Linux
    print(f"{rows:,} rows, {size:.0f} MB: {seconds:.1f} s (60 allowed), {peak:.2f} GB (2 allowed)")


if __name__ == "__main__":
    main()
