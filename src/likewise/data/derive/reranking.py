"""Judged documents as other kinds of data: pairs with hard negatives, or labelled pairs."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pyarrow as pa

from likewise.data.clusters import cluster_ids
from likewise.data.dataset import Dataset, Note
from likewise.data.derive.negatives import with_negatives
from likewise.errors import InputError


def reranking_to_pairs(data: Dataset) -> Dataset:
    """Each query becomes a row: what answers it the positives, what does not the negatives.

    Args:
        data: of kind "reranking".

    Returns:
        Kind "pairs", a row for each query with an answer, in the order of first appearance. Equal
        documents of a query count once, and as an answer where one of them is.

    Raises:
        InputError: no document answers its query.
    """
    answers, others = _told_apart(data)
    first = [rows[0] for rows in answers if rows]
    if not first:
        problem = f"none of {len(data)} documents answers its query"
        raise InputError(problem, mend="label answers 1 or more", where=data.file)
    texts = data.texts("document")
    positives = [[texts[i] for i in rows] for rows in answers if rows]
    negatives = [
        [texts[i] for i in wrong] for rows, wrong in zip(answers, others, strict=True) if rows
    ]
    has_lists = max(map(len, positives)) > 1
    column = (
        pa.array(positives, type=pa.large_list(pa.large_string()))
        if has_lists
        else pa.array([row[0] for row in positives], type=pa.large_string())
    )
    table = pa.table(
        {"anchor": data.table.column("query").take(pa.array(first)), "positive": column}
    )
    columns = {"anchor": data.columns["query"], "positive": data.columns["document"]}
    pairs = replace(data.take(first), kind="pairs", table=table, columns=columns)
    notes = (
        Note(text="queries became pairs of query and answers", count=len(first)),
        Note(
            text="documents that do not answer are hard negatives", count=sum(map(len, negatives))
        ),
        Note(text="queries without an answer were left out", count=len(answers) - len(first)),
    )
    return replace(with_negatives(pairs, negatives), notes=(*data.notes, *notes))


def reranking_to_pair_labels(data: Dataset) -> Dataset:
    """Query and document become a pair: 1 for an answer of any grade, else 0.

    Args:
        data: of kind "reranking".

    Returns:
        Kind "pair-labels", row by row.
    """
    labels = (data.numbers("label") > 0).astype(np.int64)
    table = pa.table(
        {
            "sentence1": data.table.column("query"),
            "sentence2": data.table.column("document"),
            "label": pa.array(labels),
        }
    )
    columns = {
        "sentence1": data.columns["query"],
        "sentence2": data.columns["document"],
        "label": data.columns["label"],
    }
    note = Note(
        text="documents became pairs with their query, labelled 1 if they answer it",
        count=len(data),
    )
    return replace(
        data, kind="pair-labels", table=table, columns=columns, notes=(*data.notes, note)
    )


def _told_apart(data: Dataset) -> tuple[list[list[int]], list[list[int]]]:
    """Of each query, rows of distinct answers and of distinct other documents."""
    queries = cluster_ids(data.texts("query")).tolist()
    documents = cluster_ids(data.texts("document")).tolist()
    right = (data.numbers("label") > 0).tolist()
    of_query: list[list[int]] = [[] for _ in range(max(queries, default=-1) + 1)]
    for row, query in enumerate(queries):
        of_query[query].append(row)
    answers, others = [], []
    for rows in of_query:
        found = _first_of_each((row for row in rows if right[row]), documents)
        known = {documents[row] for row in found}
        wrong = (row for row in rows if documents[row] not in known)
        answers.append(found)
        others.append(_first_of_each(wrong, documents))
    return answers, others


def _first_of_each(rows: Iterable[int], documents: list[int]) -> list[int]:
    first: dict[int, int] = {}
    for row in rows:
        first.setdefault(documents[row], row)
    return list(first.values())
