"""Data of one kind as another, so that a loss takes whatever can be read as what it needs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa

from likewise.data.clusters import column_keys, flat_texts
from likewise.data.dataset import Dataset, Note
from likewise.data.derive import (
    labelled_to_pairs,
    nli_to_pairs,
    nli_to_scored,
    pair_labels_to_pairs,
    pair_labels_to_scored,
    reranking_to_pair_labels,
    reranking_to_pairs,
)
from likewise.data.kinds import KINDS
from likewise.errors import InputError
from likewise.training.fit import Fit

Conversion: TypeAlias = Callable[[Dataset, int], Dataset]

CONVERSIONS: Final[Mapping[tuple[str, str], Conversion]] = MappingProxyType(
    {
        ("nli", "pairs"): lambda data, seed: nli_to_pairs(data, seed=seed),
        ("nli", "scored"): lambda data, _: nli_to_scored(data),
        ("pair-labels", "pairs"): lambda data, seed: pair_labels_to_pairs(data, seed=seed),
        ("pair-labels", "scored"): lambda data, _: pair_labels_to_scored(data),
        ("reranking", "pairs"): lambda data, _: reranking_to_pairs(data),
        ("reranking", "pair-labels"): lambda data, _: reranking_to_pair_labels(data),
        ("reranking", "scored"): lambda data, _: pair_labels_to_scored(
            reranking_to_pair_labels(data)
        ),
        ("labelled", "pairs"): lambda data, seed: labelled_to_pairs(data, seed=seed),
    }
)


def with_convertible(kinds: Iterable[str]) -> tuple[str, ...]:
    """Those kinds, and every other that can be read as one of them.

    >>> with_convertible(("scored",))
    ('scored', 'nli', 'pair-labels', 'reranking')
    """
    wanted = tuple(kinds)
    if "texts" in wanted:
        return tuple(dict.fromkeys((*wanted, *KINDS)))
    more = (source for source, target in CONVERSIONS if target in wanted)
    return tuple(dict.fromkeys((*wanted, *more)))


def as_kind(fit: Fit[Any], data: Dataset, kinds: Iterable[str]) -> Dataset:
    """The data, if it is of one of the kinds; else read as the first that it can be read as.

    Args:
        fit: is told what was decided.
        data: of any kind.
        kinds: wanted, the best first.

    Raises:
        InputError: it cannot be read as any of them.
    """
    wanted = tuple(kinds)
    if data.kind in wanted:
        return data
    for kind in wanted:
        if kind == "texts":
            return tell_new(fit, data, all_texts(data))
        if (data.kind, kind) in CONVERSIONS:
            return tell_new(fit, data, CONVERSIONS[data.kind, kind](data, fit.options.seed))
    problem = f"expected {' or '.join(wanted)} data, found {data.kind}"
    raise InputError(problem, mend="choose another --method: likewise check names those that fit")


def tell_new(fit: Fit[Any], before: Dataset, after: Dataset) -> Dataset:
    """Say what a change of the data noted, where it concerns any row; give back the new data."""
    for note in after.notes[len(before.notes) :]:
        if note.count:
            fit.note(str(note))
    return after


def all_texts(data: Dataset) -> Dataset:
    """Every distinct text of every column, as kind "texts"; the places are those of the first row.

    Texts are told apart by a 64-bit hash, and stay in Arrow: of millions, none becomes a Python
    object for longer than it takes to hash it.

    Args:
        data: of any kind.
    """
    columns = [data.table.column(role) for role in data.text_roles()]
    found = [column_keys(column, exact=True) for column in columns]
    keys = np.concatenate([part.keys for part in found])
    first = np.sort(np.unique(keys, return_index=True)[1])
    chunks = [chunk for column in columns for chunk in flat_texts(column).chunks]
    texts = pa.chunked_array(chunks, type=pa.large_string())
    rows = np.concatenate([part.rows for part in found])[first]
    return replace(
        data,
        kind="texts",
        table=pa.table({"text": texts.take(pa.array(first)) if len(first) < len(keys) else texts}),
        source=data.source[rows],
        row=data.row[rows],
        columns={"text": ", ".join(data.columns[role] for role in data.text_roles())},
        notes=(*data.notes, Note(text="distinct texts of all columns", count=len(rows))),
        score_range=None,
    )
