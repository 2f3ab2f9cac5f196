"""Rows of one data set that occur in another."""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from likewise.data.clusters import text_keys
from likewise.data.dataset import Dataset, RetrievalSet
from likewise.data.kinds import KINDS
from likewise.data.near import near_duplicates

_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: spreads bits (Knuth, TAOCP 6.4)

Keys: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaks:
    """Rows of a test set that a model has seen in training, each in one of three ways.

    Attributes:
        exact: letter by letter.
        normalised: but for case, punctuation and white space.
        near: with texts of which most is the same.
    """

    exact: NDArray[np.int64]
    normalised: NDArray[np.int64]
    near: NDArray[np.int64]

    @property
    def rows(self) -> NDArray[np.int64]:
        """All of them, ascending."""
        return np.sort(np.concatenate([self.exact, self.normalised, self.near]))

    def __str__(self) -> str:
        counted = (
            (len(self.exact), "letter by letter"),
            (len(self.normalised), "but for case and punctuation"),
            (len(self.near), "nearly"),
        )
        return ", ".join(f"{n:,} {how}" for n, how in counted if n)


def find_leaks(train: Dataset | RetrievalSet, test: Dataset | RetrievalSet) -> Leaks:
    """The rows of `test` that stand in `train`, as `leaked_rows` takes it, or nearly do.

    Nearly: they would stand there if each text were the one in `train` that is most like it
    (`near_duplicates`).

    Args:
        train: n rows.
        test: m rows; the rows of a retrieval set are its queries.
    """
    texts = train.all_texts()
    known = set(texts)
    same = leaked_rows(train, test)
    is_exact = np.array([known.issuperset(_texts_of(test, row)) for row in same.tolist()], bool)
    return Leaks(
        exact=same[is_exact],
        normalised=same[~is_exact],
        near=np.setdiff1d(leaked_rows(train, _drawn_to(test, texts)), same),
    )


def without_rows(data: Dataset | RetrievalSet, rows: NDArray[np.int64]) -> Dataset | RetrievalSet:
    """What is left of a test set; of a retrieval set other queries and the whole corpus.

    Args:
        data: n rows, or queries.
        rows: places of those that are left out.
    """
    kept = np.setdiff1d(np.arange(len(data)), rows)
    if isinstance(data, Dataset):
        return data.take(kept)
    ids = tuple(data.query_ids[i] for i in kept.tolist())
    return replace(
        data,
        query_ids=ids,
        queries=tuple(data.queries[i] for i in kept.tolist()),
        judgements={name: data.judgements[name] for name in ids},
    )


def leaked_rows(train: Dataset | RetrievalSet, test: Dataset | RetrievalSet) -> NDArray[np.int64]:
    """The rows of `test` that a model trained on `train` has seen.

    A row of two texts has leaked if both stand together in a row of `train`, in either order
    unless both sets are of one kind whose sides differ; a single text if it stands anywhere in
    `train`; a query likewise. Case, punctuation and white space do not matter.

    Args:
        train: n rows.
        test: m rows; the rows of a retrieval set are its queries.

    Returns:
        Indices of the leaked rows of `test`, ascending.
    """
    if isinstance(test, RetrievalSet):
        keys = text_keys(test.queries)
        return np.flatnonzero(np.isin(keys, _all_keys(train)))
    if len(test.text_roles()) == 1:
        (found,) = test.keys.values()
        return np.unique(found.rows[np.isin(found.keys, _all_keys(train))])
    if isinstance(train, RetrievalSet):
        seen = _judged_keys(train)
        ordered = False
    elif len(train.text_roles()) == 1:
        return np.empty(0, dtype=np.int64)
    else:
        ordered = train.kind == test.kind and not KINDS[test.kind].is_symmetric
        seen, _ = pair_keys(train, ordered=ordered)
    keys, rows = pair_keys(test, ordered=ordered)
    return np.unique(rows[np.isin(keys, seen)])


def pair_keys(data: Dataset, *, ordered: bool) -> Keys:
    """A hash of the first two texts of each row, or of its only one.

    Args:
        data: n rows; one with several positives counts as a pair for each.
        ordered: whether (a, b) and (b, a) differ.

    Returns:
        Hashes [m] and the rows [m] they belong to.
    """
    first, *rest = data.text_roles()
    left = data.keys[first]
    if not rest:
        return left.keys, left.rows
    right = data.keys[rest[0]]
    of_row = np.zeros(len(data), dtype=np.int64)
    of_row[left.rows] = left.keys
    return _mixed(of_row[right.rows], right.keys, ordered=ordered), right.rows


def _mixed(
    left: NDArray[np.int64], right: NDArray[np.int64], *, ordered: bool
) -> NDArray[np.int64]:
    if not ordered:
        left, right = np.minimum(left, right), np.maximum(left, right)
    a, b = left.view(np.uint64), right.view(np.uint64)
    a = (a ^ (a >> np.uint64(29))) * _MIX  # unsigned arithmetic wraps
    return np.asarray((a ^ (a >> np.uint64(32))) + b, dtype=np.uint64).view(np.int64)


def _all_keys(data: Dataset | RetrievalSet) -> NDArray[np.int64]:
    """Hashes of every text that training on the set would show."""
    if isinstance(data, RetrievalSet):
        return text_keys(data.queries)
    return np.concatenate([found.keys for found in data.keys.values()])


def _judged_keys(data: RetrievalSet) -> NDArray[np.int64]:
    """Hashes of query and relevant document."""
    documents = dict(zip(data.document_ids, data.documents, strict=True))
    pairs = [
        (query, documents[document])
        for query_id, query in zip(data.query_ids, data.queries, strict=True)
        for document, grade in data.judgements[query_id].items()
        if grade > 0
    ]
    left, right = text_keys(q for q, _ in pairs), text_keys(d for _, d in pairs)
    return _mixed(left, right, ordered=False)


def _texts_of(data: Dataset | RetrievalSet, row: int) -> list[str]:
    """What a row shows of itself: its first two texts, or a query."""
    if isinstance(data, RetrievalSet):
        return [data.queries[row]]
    one = data.take([row])
    return [text for role in data.text_roles()[:2] for text in one.text_lists(role)[0]]


def _drawn_to(test: Dataset | RetrievalSet, known: list[str]) -> Dataset | RetrievalSet:
    """The test set with each text replaced by the known one that is nearly the same."""
    texts = list(test.queries) if isinstance(test, RetrievalSet) else test.all_texts()
    found = near_duplicates(texts, known).pairs.tolist()
    twin = {texts[a]: known[b] for a, b in found}
    if isinstance(test, RetrievalSet):
        return replace(test, queries=tuple(twin.get(query, query) for query in test.queries))
    columns = {role: test.table.column(role) for role in test.roles}
    for role in test.text_roles():
        lists = [[twin.get(text, text) for text in row] for row in test.text_lists(role)]
        columns[role] = pa.chunked_array([pa.array(lists, pa.large_list(pa.large_string()))])
    return replace(test, table=pa.table(columns))
