"""Rows and texts that stand in the data more than once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from likewise.data.checks.finding import Data, Finding, places
from likewise.data.clusters import cluster_ids, dense_ids
from likewise.data.dataset import Dataset, RetrievalSet
from likewise.data.kinds import KINDS
from likewise.data.leakage import pair_keys


def check_duplicates(data: Data, others: Sequence[Data] = ()) -> list[Finding]:
    """Count repeated rows, those with another label or score, and shared positives.

    Args:
        data: of any kind.
        others: not used.
    """
    if isinstance(data, RetrievalSet):
        return _repeated_texts(data)
    keys, rows = pair_keys(data, ordered=not KINDS[data.kind].is_symmetric)
    ids = dense_ids(keys)
    repeats = np.unique(rows[_is_repeat(ids)])
    findings = []
    if len(repeats):
        text = f"{len(repeats):,} of {len(data):,} rows repeat the texts of an earlier row"
        mend = "remove the repeats"
        found = places(data, repeats)
        findings.append(
            Finding(level="warning", text=text, rows=found, count=len(repeats), mend=mend)
        )
    findings += _contradictions(data, ids, rows)
    findings += _shared_positives(data)
    return findings


def _is_repeat(ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """[m] True where the same id stood before; ids count up in order of appearance."""
    before = np.concatenate([[-1], np.maximum.accumulate(ids)[:-1]])
    repeat: NDArray[np.bool_] = ids <= before
    return repeat


def _contradictions(
    data: Dataset, ids: NDArray[np.int64], rows: NDArray[np.int64]
) -> list[Finding]:
    """The same texts with another label or score."""
    role = next((role for role in ("label", "score") if role in data.roles), None)
    if role is None:
        return []
    column = data.table.column(role).combine_chunks().dictionary_encode()
    values = np.asarray(column.indices, dtype=np.int64)[rows]
    first = np.full(int(ids.max()) + 1, -1, dtype=np.int64)
    first[ids[::-1]] = values[::-1]  # the earliest of each id stays
    odd = np.unique(rows[first[ids] != values])
    if not len(odd):
        return []
    text = f"{len(odd):,} rows repeat the texts of an earlier row with another {role}"
    mend = f"decide which {role} is right, and keep that row"
    return [Finding(level="warning", text=text, rows=places(data, odd), count=len(odd), mend=mend)]


def _shared_positives(data: Dataset) -> list[Finding]:
    if "positive" not in data.roles:
        return []
    found = data.keys["positive"]
    _, inverse, counts = np.unique(found.keys, return_inverse=True, return_counts=True)
    shared = np.unique(found.rows[counts[inverse.reshape(-1)] > 1])
    if not len(shared):
        return []
    text = (
        f"{len(shared):,} of {len(data):,} rows share a positive with another row: in one batch it "
        "would be a false negative, which the losses mask"
    )
    return [Finding(level="note", text=text, count=len(shared), rows=places(data, shared))]


def _repeated_texts(data: RetrievalSet) -> list[Finding]:
    findings = []
    for what, texts in (("queries", data.queries), ("documents", data.documents)):
        count = int(_is_repeat(cluster_ids(texts)).sum())
        if count:
            text = f"{count:,} of {len(texts):,} {what} repeat another one's text"
            mend = "the judged one may rank below its twin: remove the repeats"
            findings.append(Finding(level="warning", text=text, count=count, mend=mend))
    return findings
