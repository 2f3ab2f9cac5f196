"""Rows that cannot be meant so."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from likewise.data.checks.finding import Data, Finding, places
from likewise.data.clusters import TextKeys
from likewise.data.dataset import Dataset, RetrievalSet
from likewise.errors import SHOWN, InputError

# UTF-8 read as Latin-1 and written again: é became Ã©, a curly quote became â€™
MISREAD = "Ã[\u0080-\u00bf]|â€|\ufffd"


def check_suspicious(data: Data, others: Sequence[Data] = ()) -> list[Finding]:
    """Look for texts paired with themselves, negatives that are positives, and broken letters.

    Args:
        data: of any kind.
        others: not used.
    """
    if isinstance(data, RetrievalSet):
        return []
    return [*_self_pairs(data), *_false_negatives(data), *_constant(data), *_misread(data)]


def refuse_equal_triplets(data: Dataset) -> None:
    """Stop before any work where a negative is the row's own positive, but for case and signs.

    Args:
        data: with positives and negatives, perhaps several a row.

    Raises:
        InputError: there are such rows; names up to twenty of them.
    """
    if "negative" not in data.roles:
        return
    same = _rows_in_common(data.keys["negative"], data.keys["positive"])
    if not len(same):
        return
    mend = "remove these negatives or rows: a triplet needs an answer and something else"
    found = [
        InputError(
            "a negative is the row's own positive", where=data.where(i, "negative"), mend=mend
        )
        for i in same[:SHOWN].tolist()
    ]
    raise InputError.gather(found, total=len(same))


def _self_pairs(data: Dataset) -> Iterator[Finding]:
    first, *rest = data.text_roles()
    if not rest:
        return
    same = _rows_in_common(data.keys[first], data.keys[rest[0]])
    expected, told = _expected_of_equals(data)
    if expected is not None:
        same = same[~expected[same]]
    if len(same):
        text = f"{len(same):,} rows have the same text as {first} and {rest[0]}{told}"
        mend = "remove or correct them: they teach nothing, or the wrong thing"
        rows = places(data, same)
        yield Finding(level="warning", text=text, rows=rows, count=len(same), mend=mend)


def _expected_of_equals(data: Dataset) -> tuple[NDArray[np.bool_] | None, str]:
    """[n] True where a row of two equal texts would be right; None where it never is."""
    if data.kind == "scored":
        low, high = data.score_range or (0.0, 1.0)
        return data.numbers("score") >= (low + high) / 2, " and a score in the lower half"
    if data.kind == "nli":
        return data.numbers("label") == 0, " and are no entailment"
    if data.kind == "pair-labels":
        return data.numbers("label") == 1, " and the label 0"
    return None, ""


def _false_negatives(data: Dataset) -> Iterator[Finding]:
    if "negative" not in data.roles:
        return
    for role in ("positive", "anchor"):
        same = _rows_in_common(data.keys["negative"], data.keys[role])
        if len(same):
            text = f"{len(same):,} rows have a negative that is their own {role}"
            mend = "remove these negatives: the row would train against itself"
            rows = places(data, same)
            yield Finding(level="warning", text=text, rows=rows, count=len(same), mend=mend)


def _rows_in_common(left: TextKeys, right: TextKeys) -> NDArray[np.int64]:
    """Rows that hold one text on both sides."""
    a = np.stack([left.rows, left.keys], axis=1)
    b = np.stack([right.rows, right.keys], axis=1)
    if len(left.rows) == len(right.rows) and np.array_equal(left.rows, right.rows):
        return np.unique(left.rows[left.keys == right.keys])
    pairs = {tuple(pair) for pair in b.tolist()}
    return np.unique([row for row, key in a.tolist() if (row, key) in pairs]).astype(np.int64)


def _constant(data: Dataset) -> Iterator[Finding]:
    for role, found in data.keys.items():
        if len(found.keys) > 1 and (found.keys == found.keys[0]).all():
            text = f"{role} is the same text in all {len(found.keys):,} rows"
            mend = f"is {data.columns.get(role, role)} the right column? choose with --columns"
            yield Finding(level="warning", text=text, count=len(found.keys), mend=mend)


def _misread(data: Dataset) -> Iterator[Finding]:
    import pyarrow.compute as pc

    for role in data.text_roles():
        column = data.table.column(role)
        if pa.types.is_large_list(column.type):
            continue
        odd = np.flatnonzero(
            np.asarray(pc.fill_null(pc.match_substring_regex(column, MISREAD), False))
        )
        if len(odd):
            text = (
                f"{len(odd):,} of {len(data):,} texts of {role} hold letters that were once "
                "misread (Ã©, â€™, �)"
            )
            mend = "read the original again in its own encoding and write it as UTF-8"
            rows = places(data, odd)
            yield Finding(level="warning", text=text, rows=rows, count=len(odd), mend=mend)
