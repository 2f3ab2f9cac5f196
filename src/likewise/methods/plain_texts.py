"""Plain texts, each of them once, for methods that need no labels."""

from dataclasses import replace
from typing import Any

import numpy as np

from likewise.data.dataset import Dataset, Note
from likewise.errors import InputError
from likewise.methods.conversions import as_kind, tell_new
from likewise.training.fit import Fit
from likewise.training.text_rows import ROLE


def distinct_texts(fit: Fit[Any], data: Dataset) -> Dataset:
    """Every distinct text of every column; two of them differ in more than case and punctuation.

    Args:
        fit: is told what was left out.
        data: of any kind.

    Raises:
        InputError: all texts are the same, so that none is a negative of another.
    """
    rows = as_kind(fit, data, ("texts",))
    if rows is data:
        rows = tell_new(fit, data, _each_once(data))
    keys = rows.keys[ROLE].keys
    if len(rows) == 0 or bool((keys == keys[0]).all()):
        problem = f"all {len(data):,} rows have the same text: nothing can be told apart from it"
        mend = "give texts that differ, or look at them: likewise check"
        raise InputError(problem, mend=mend, where=data.file)
    return rows


def _each_once(data: Dataset) -> Dataset:
    """The first row of each text; only rows whose normalised texts are equal are compared."""
    keys = data.keys[ROLE].keys
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    column, seen, repeats = data.table[ROLE], set[str](), []
    for row in np.flatnonzero(counts[inverse] > 1):
        text = column[int(row)].as_py()
        if text in seen:
            repeats.append(int(row))
        seen.add(text)
    if not repeats:
        return data
    note = Note(text="texts that stand in another row too were left out", count=len(repeats))
    kept = data.take(np.delete(np.arange(len(data)), repeats))
    return replace(kept, notes=(*data.notes, note))
