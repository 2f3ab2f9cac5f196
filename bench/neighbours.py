"""Time of an exact search: 5,000 queries in 100,000 documents of 384 dimensions, on all cores.

PYTHONPATH=src python bench/neighbours.py
"""

import argparse
import statistics
import time
import tracemalloc

import numpy as np

from likewise.mining.neighbours import search_cosine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=5_000)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--depths", type=int, nargs="+", default=[10, 100])
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    queries, documents = (
        rng.normal(size=(n, given.width)).astype(np.float32)
        for n in (given.queries, given.documents)
    )
    print(f"{given.queries:,} x {given.documents:,} x {given.width}, median of {given.repeats}")
    for depth in given.depths:
        seconds = []
        for _ in range(given.repeats):
            start = time.perf_counter()
            search_cosine(queries, documents, depth=depth)
            seconds.append(time.perf_counter() - start)
        tracemalloc.start()
        search_cosine(queries, documents, depth=depth)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        print(f"best {depth:>3}: {statistics.median(seconds):.1f} s, {peak / 2**20:.0f} MB")


if __name__ == "__main__":
    main()
