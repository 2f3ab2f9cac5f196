"""Time of 10,000 bootstrap resamples of 1,500 scored pairs, Pearson and Spearman, on one core.

OMP_NUM_THREADS=1 PYTHONPATH=src python bench/resampling.py
"""

import argparse
import statistics
import time

import numpy as np

from likewise.evaluation.statistics import bootstrap, mean_of, pearson_of, spearman_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--items", type=int, default=1_500)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    gold = np.round(rng.uniform(0, 5, given.items) * 5) / 5  # tied, as the STS Benchmark's scores
    cosines = gold / 5 + rng.normal(0, 0.2, given.items)
    statistic = {
        "pearson": {"pearson": pearson_of(cosines, gold)},
        "spearman": {"spearman": spearman_of(cosines, gold)},
        "mean": {"mean": mean_of(cosines)},
        "pearson and spearman": {
            "pearson": pearson_of(cosines, gold),
            "spearman": spearman_of(cosines, gold),
        },
    }
    print(f"{given.resamples:,} resamples of {given.items:,} items, median of {given.repeats}")
    for name, chosen in statistic.items():
        seconds = []
        for _ in range(given.repeats):
            start = time.perf_counter()
            bootstrap(chosen, given.items, resamples=given.resamples)
            seconds.append(time.perf_counter() - start)
        print(f"{name:>22}: {statistics.median(seconds):.2f} s")


if __name__ == "__main__":
    main()
