"""Neighbours: do the texts nearest to a text have its label?"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likewise.data.checks.labels import refuse_one_class
from likewise.data.clusters import cluster_ids
from likewise.data.dataset import Dataset
from likewise.errors import InputError
from likewise.evaluation.measures import items_of, score_items
from likewise.evaluation.result import Result
from likewise.evaluation.statistics import RESAMPLES
from likewise.evaluation.tasks import task_name
from likewise.mining.neighbours import DECIMALS, best_first
from likewise.mining.vectors import Embed, checked_vectors, unit

SAMPLE = 5000  # texts; more would tell little more
FEWEST = 10  # texts that have another one of their class
NEAREST = 10
BLOCK = 256  # texts whose neighbours are ranked at a time

Cosines = Callable[[slice], NDArray[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The texts that are measured on, in an order of their own.

    Attributes:
        texts: [n].
        labels: [n] number of the class of each.
        others: [n] how many other texts that class has.
        notes: what was left out, for the user to see.
    """

    texts: list[str]
    labels: NDArray[np.int64]
    others: NDArray[np.int64]
    notes: tuple[str, ...]


def evaluate_neighbours(
    embed: Embed, data: Dataset, *, resamples: int = RESAMPLES, seed: int = 0
) -> Result:
    """Whether the texts nearest by cosine, of the same set, have a text's own label.

    Repeats (but for case, punctuation and white space) with the same label count once. Of more
    than 5,000 texts a sample is measured, the same for every model by the seed. A text that is
    alone in its class is a neighbour to others, and has none of its own to be found.

    Args:
        embed: called once with the texts.
        data: of kind "labelled".
        resamples: bootstrap draws of texts behind the 95 % intervals.
        seed: of the sample and of those draws.

    Returns:
        "precision@10", which leads: the share of the ten nearest (of as many as the class has
        others, where these are fewer) that have the label; "precision@1": of the nearest alone;
        "map@r": precision at the rank of each text of the class among the R nearest, over R, the
        others of the class (Musgrave et al. 2020, MAP@R); "knn": whether the vote of the ten
        nearest, the nearer first where it is even, is the label. Details hold `values` (metric to
        one a text), and `chance`, the precision of neighbours drawn at random.

    Raises:
        InputError: one label only, or fewer than ten texts with another one of their class.
        LikewiseError: the vectors are not finite.
    """
    sample = draw_sample(data, seed)
    vectors = unit(checked_vectors(embed, sample.texts))
    return score_neighbours(
        lambda rows: vectors[rows] @ vectors.T, sample, data, resamples=resamples, seed=seed
    )


def draw_sample(data: Dataset, seed: int) -> Sample:
    """Distinct texts, 5,000 of them at the most, whatever the order of the rows.

    Raises:
        InputError: as for `evaluate_neighbours`.
    """
    refuse_one_class(data)
    distinct, notes = distinct_texts(data)
    distinct, drawn = draw_rows(distinct, seed)
    notes += drawn
    names = {label: i for i, label in enumerate(sorted({label for _, label in distinct}))}
    labels = np.array([names[label] for _, label in distinct], dtype=np.int64)
    others = np.bincount(labels)[labels] - 1
    alone = int((others == 0).sum())
    if alone:
        notes.append(f"{alone:,} texts are alone in their class, and only neighbours to others")
    if len(labels) - alone < FEWEST:
        problem = f"{len(labels) - alone} texts have another one of their class"
        raise InputError(problem, mend=f"give {FEWEST} such texts or more", where=data.file)
    return Sample(
        texts=[text for text, _ in distinct], labels=labels, others=others, notes=tuple(notes)
    )


def distinct_texts(data: Dataset) -> tuple[list[tuple[str, str]], list[str]]:
    """Texts with their labels, sorted, and a note on repeats, which count once.

    A text is the same whatever its case, punctuation and white space; with two labels it counts
    twice.

    Args:
        data: of kind "labelled".
    """
    rows = sorted(zip(data.texts("text"), data.labels(), strict=True))
    clusters = cluster_ids(text for text, _ in rows).tolist()
    first: dict[tuple[int, str], tuple[str, str]] = {}
    for cluster, row in zip(clusters, rows, strict=True):
        first.setdefault((cluster, row[1]), row)
    repeats = len(rows) - len(first)
    return list(first.values()), [f"{repeats:,} repeated texts count once"] if repeats else []


def draw_rows(rows: list[tuple[str, str]], seed: int) -> tuple[list[tuple[str, str]], list[str]]:
    """5,000 of the rows, in their order, and a note, where there are more.

    Args:
        rows: texts with their labels.
        seed: the same one draws the same rows.
    """
    if len(rows) <= SAMPLE:
        return rows, []
    kept = np.random.default_rng(seed).permutation(len(rows))[:SAMPLE]
    note = f"{SAMPLE:,} of {len(rows):,} texts were drawn to be measured on"
    return [rows[i] for i in np.sort(kept).tolist()], [note]


def vote(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The label that most of some neighbours have, the nearest of the tied.

    Args:
        labels: [n, k] of the k neighbours of each text, the nearest first.

    Returns:
        [n].

    >>> vote(np.array([[3, 5, 5], [3, 5, 4]])).tolist()
    [5, 3]
    """
    votes = (labels[:, :, None] == labels[:, None, :]).sum(axis=2)  # [n, k] for each one's own
    chosen: NDArray[np.int64] = labels[np.arange(len(labels)), votes.argmax(axis=1)]
    return chosen


def score_neighbours(
    cosines: Cosines, sample: Sample, data: Dataset, *, resamples: int = RESAMPLES, seed: int = 0
) -> Result:
    """Any similarity of the texts of a sample, as `evaluate_neighbours` measures it.

    Args:
        cosines: some of the texts to their similarity with all, [some, n].
        sample: of `data`.
        data: of kind "labelled".
        resamples: bootstrap draws of texts.
        seed: of those draws.
    """
    n = len(sample.texts)
    parts = [
        _measure(cosines(slice(start, start + BLOCK)), start, sample)
        for start in range(0, n, BLOCK)
    ]
    asked = sample.others > 0
    values = {name: np.concatenate([part[name] for part in parts])[asked] for name in parts[0]}
    items = {name: items_of("mean", value) for name, value in values.items()}
    scores, draws = score_items(items, resamples=resamples, seed=seed)
    return Result(
        task=task_name(data),
        evaluator="neighbours",
        primary=f"precision@{NEAREST}",
        scores=scores,
        draws=draws,
        items=items,
        n=int(asked.sum()),
        data=data.fingerprint,
        seed=seed,
        notes=sample.notes,
        details={
            "values": values,
            "chance": float((sample.others[asked] / (n - 1)).mean()),
        },
    )


def _measure(
    cosines: NDArray[np.float64], start: int, sample: Sample
) -> dict[str, NDArray[np.float64]]:
    """Each metric of the texts from `start` on, [some]; 0 where a class has no other text."""
    rows = np.arange(start, start + len(cosines))
    cosines = cosines.round(DECIMALS)
    cosines[np.arange(len(rows)), rows] = -np.inf
    others = sample.others[rows]
    depth = min(max(NEAREST, int(others.max())), len(sample.texts) - 1)
    found = best_first(cosines, np.arange(len(sample.texts)), depth=depth).positions
    hits = sample.labels[found] == sample.labels[rows, None]  # [some, depth]
    ranks = np.arange(1, depth + 1)
    voted = vote(sample.labels[found[:, :NEAREST]])
    within = ranks <= others[:, None]
    wanted = np.maximum(others, 1)
    few = wanted.clip(max=NEAREST)
    precision = hits.cumsum(axis=1) / ranks
    return {
        f"precision@{NEAREST}": (hits & (ranks <= few[:, None])).sum(axis=1) / few,
        "precision@1": hits[:, 0].astype(np.float64),
        "knn": (voted == sample.labels[rows]).astype(np.float64),
        "map@r": (precision * hits * within).sum(axis=1) / wanted,
    }
