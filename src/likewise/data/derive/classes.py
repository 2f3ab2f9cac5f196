"""Labelled texts as pairs: texts of one class belong together, those of another do not."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from likewise.data.checks.labels import refuse_one_class
from likewise.data.clusters import cluster_ids, dense_ids
from likewise.data.dataset import Dataset, Note
from likewise.data.derive.negatives import with_negatives
from likewise.errors import InputError


def labelled_to_pairs(data: Dataset, *, seed: int) -> Dataset:
    """Triplets of classes: every text an anchor, with one of its class and one of another.

    The texts of a class are shuffled, and each has the next one as its positive, so that every
    text is an anchor once and a positive once. Repeats count once (but for case, punctuation and
    white space); a text that stands under two labels is left out, and so is a class with only one
    text.

    Args:
        data: of kind "labelled".
        seed: of the draw.

    Returns:
        Kind "pairs", in the order of the texts, with a column `group`, the number of the class:
        in a batch, rows of one group must not count as negatives of one another.

    Raises:
        InputError: fewer than two classes of two texts remain.
    """
    refuse_one_class(data)
    labels = dense_ids(_numbered(data.labels()))
    clusters = cluster_ids(data.texts("text"))
    kept, torn = _usable(clusters, labels)
    sizes = np.bincount(labels[kept], minlength=int(labels.max()) + 1)
    alone = sizes == 1
    rows = kept[~alone[labels[kept]]]
    if (sizes > 1).sum() < 2:
        problem = f"{int((sizes > 1).sum())} of {len(sizes)} classes have two texts or more"
        mend = "two such classes are needed: give more texts a class"
        raise InputError(problem, where=data.file, mend=mend)
    groups = labels[rows]
    positive, negative = _drawn(groups, np.random.default_rng(seed))
    texts = data.table.column("text")
    table = pa.table(
        {
            "anchor": texts.take(pa.array(rows)),
            "positive": texts.take(pa.array(rows[positive])),
            "group": pa.array(groups),
        }
    )
    columns = dict.fromkeys(("anchor", "positive"), data.columns["text"])
    pairs = replace(
        data.take(rows),
        kind="pairs",
        table=table,
        columns={**columns, "group": data.columns["label"]},
    )
    others = texts.take(pa.array(rows[negative])).to_pylist()
    counted = (
        ("texts became anchors, with one of their class and one of another", len(rows)),
        ("texts under two labels were left out", torn),
        ("repeated texts were left out", len(data) - torn - len(kept)),
        ("texts that stand alone in their class were left out", int(alone.sum())),
    )
    notes = (Note(text=text, count=count) for text, count in counted if count)
    return replace(with_negatives(pairs, [[text] for text in others]), notes=(*data.notes, *notes))


def _numbered(labels: list[str]) -> NDArray[np.int64]:
    numbers = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    return np.array([numbers[label] for label in labels], dtype=np.int64)


def _usable(
    clusters: NDArray[np.int64], labels: NDArray[np.int64]
) -> tuple[NDArray[np.int64], int]:
    """The first row of each text with one label, and how many rows have a text with two."""
    first = np.unique(clusters, return_index=True)[1]
    odd = np.unique(clusters[labels != labels[first][clusters]])
    torn = np.isin(clusters, odd)
    return np.sort(first[~np.isin(clusters[first], odd)]), int(torn.sum())


def _drawn(
    groups: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """[n] the place of a row of the same group, and of one of another group, for each row."""
    n = len(groups)
    order = rng.permutation(n)
    order = order[np.argsort(groups[order], kind="stable")]  # group by group, shuffled within
    sizes = np.bincount(groups)
    starts = np.cumsum(sizes) - sizes
    place = np.empty(n, dtype=np.int64)
    place[order] = np.arange(n)
    start, size = starts[groups], sizes[groups]
    positive = order[start + (place - start + 1) % size]
    other = rng.integers(0, n - size)  # among the rows of other groups, of which n - size exist
    negative = order[np.where(other < start, other, other + size)]
    return positive, negative
