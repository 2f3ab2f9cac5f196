"""Clustering: do the groups that k-means finds among the vectors agree with the labels?"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from likewise.data.dataset import Dataset
from likewise.evaluation.baselines import tfidf_vectors
from likewise.evaluation.nearest import Sample, draw_sample
from likewise.evaluation.result import Result
from likewise.evaluation.statistics import RESAMPLES, Counts, Statistic, score, score_statistics
from likewise.evaluation.tasks import task_name
from likewise.mining.vectors import Embed, checked_vectors, unit

REPEATS = 5  # starts of k-means: one alone may end in a poor corner
METRICS = ("v-measure", "homogeneity", "completeness")


def evaluate_clustering(
    embed: Embed, data: Dataset, *, resamples: int = RESAMPLES, seed: int = 0
) -> Result:
    """How well k-means on the vectors, scaled to length 1, finds the labels again.

    There are as many clusters as labels. Each metric is the mean over five starts; its interval is
    that of the texts, whose clusters stay as they are.

    Args:
        embed: called once with the texts.
        data: of kind "labelled"; repeats count once, and of more than 5,000 texts a sample is
            measured, as by the neighbours.
        resamples: bootstrap draws of texts behind the 95 % intervals.
        seed: of the sample and of those draws; the starts are always the same.

    Returns:
        "v-measure", which leads: the harmonic mean of "homogeneity" (each cluster has one label
        only) and "completeness" (each label is in one cluster only; Rosenberg and Hirschberg 2007).

    Raises:
        InputError: one label only, or fewer than ten texts with another one of their class.
        LikewiseError: the vectors are not finite.
    """
    sample = draw_sample(data, seed)
    vectors = unit(checked_vectors(embed, sample.texts))
    return _score(vectors, sample, data, resamples=resamples, seed=seed)


def evaluate_tfidf_clustering(
    data: Dataset, *, resamples: int = RESAMPLES, seed: int = 0
) -> Result:
    """The same of TF-IDF vectors, without a model.

    Args:
        data: of kind "labelled".
        resamples: as for `evaluate_clustering`.
        seed: likewise.
    """
    sample = draw_sample(data, seed)
    vectors = tfidf_vectors(sample.texts)
    return replace(_score(vectors, sample, data, resamples=resamples, seed=seed), model="TF-IDF")


def v_measure_of(clusters: NDArray[np.int64], labels: NDArray[np.int64]) -> dict[str, Statistic]:
    """V-measure, homogeneity and completeness of n texts in every resample.

    Args:
        clusters: [r, n] the cluster of each text, from 0, in each of r repeats.
        labels: [n] the class of each, from 0.

    Returns:
        The three of `METRICS`, each the mean over the repeats; 1 where there is nothing to part.
    """

    def all_three(counts: Counts) -> NDArray[np.float64]:
        repeats = np.stack([_three(one, labels, counts) for one in clusters])
        return np.asarray(repeats.mean(axis=0), dtype=np.float64)

    def pick(place: int) -> Statistic:
        return lambda counts: all_three(counts)[place]

    return {name: pick(place) for place, name in enumerate(METRICS)}


def _score(vectors: object, sample: Sample, data: Dataset, *, resamples: int, seed: int) -> Result:
    from sklearn.cluster import KMeans

    classes = int(sample.labels.max()) + 1
    found = [
        KMeans(classes, n_init=1, random_state=start).fit_predict(vectors)
        for start in range(REPEATS)
    ]
    clusters = np.stack(found).astype(np.int64)
    n = len(sample.texts)
    raw, drawn = score_statistics(
        v_measure_of(clusters, sample.labels), n, resamples=resamples, seed=seed
    )
    # A resample repeats texts, and so agrees with itself more than the texts do (Efron and
    # Tibshirani 1993, section 10.2): the draws are moved back to the value.
    draws = {name: values - values.mean() + raw[name].value for name, values in drawn.items()}
    return Result(
        task=task_name(data),
        evaluator="clustering",
        primary=METRICS[0],
        scores={name: score(raw[name].value, draws[name], n) for name in METRICS},
        draws=draws,
        n=n,
        data=data.fingerprint,
        seed=seed,
        notes=sample.notes,
        details={"clusters": clusters},
    )


def _three(
    clusters: NDArray[np.int64], labels: NDArray[np.int64], counts: Counts
) -> NDArray[np.float64]:
    """[3, R]: the metrics of one repeat, from the counts of each cluster and label together."""
    wide = int(labels.max()) + 1
    cells, cell = np.unique(clusters * wide + labels, return_inverse=True)
    both = _summed(cell, len(cells), counts)  # [cells, R]
    of_cluster = _summed(np.unique(cells // wide, return_inverse=True)[1], None, both)
    of_label = _summed(np.unique(cells % wide, return_inverse=True)[1], None, both)
    n = counts.sum(axis=0)
    joint, cluster, label = (_entropy(part / n) for part in (both, of_cluster, of_label))
    shared = label + cluster - joint  # mutual information
    homogeneity = np.where(label > 0, shared / np.where(label > 0, label, 1.0), 1.0)
    completeness = np.where(cluster > 0, shared / np.where(cluster > 0, cluster, 1.0), 1.0)
    total = homogeneity + completeness
    product = 2 * homogeneity * completeness
    both_ways = np.where(total > 0, product / np.where(total > 0, total, 1.0), 0.0)
    three = np.stack([both_ways, homogeneity, completeness])
    return np.asarray(np.clip(three, 0.0, 1.0), dtype=np.float64)


def _summed(
    groups: NDArray[np.int64], size: int | None, values: NDArray[np.int64]
) -> NDArray[np.int64]:
    """[groups, R]: the values [n, R] of each group summed."""
    order = np.argsort(groups, kind="stable")
    size = size or int(groups.max()) + 1
    first = np.searchsorted(groups[order], np.arange(size))
    return np.asarray(np.add.reduceat(values[order], first, axis=0), dtype=np.int64)


def _entropy(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """[R] in nats, of shares [k, R]."""
    logs = np.log(np.where(shares > 0, shares, 1.0))
    return -np.asarray((shares * logs).sum(axis=0))
