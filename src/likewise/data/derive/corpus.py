"""A retrieval set as plain texts: its corpus, and nothing of its queries and judgements."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from likewise.data.dataset import Dataset, Note, RetrievalSet


def corpus_to_texts(data: RetrievalSet) -> Dataset:
    """The documents, each as it is embedded when it is searched: title and text.

    Args:
        data: of which the queries and the judgements are not looked at.

    Returns:
        Kind "texts", document by document; with a column "title" where any of them has one.
    """
    columns = {"text": pa.array(data.documents, pa.large_string())}
    if any(data.titles):
        titles = [title or None for title in data.titles]
        columns["title"] = pa.array(titles, pa.large_string())
    # the folder, not the corpus file: read again by that name, it gives the same texts
    place = str(Path(data.sources[0]).parent) if data.sources else data.name
    note = Note(
        text="documents to learn from; the queries and judgements are not trained on",
        count=len(data.documents),
    )
    return Dataset(
        kind="texts",
        table=pa.table(columns),
        sources=(place,),
        source=np.zeros(len(data.documents), np.int32),
        row=np.arange(1, len(data.documents) + 1),
        columns={name: name for name in columns},
        notes=(*data.notes, note),
    )


def judged_to_pairs(data: RetrievalSet) -> Dataset:
    """A row for each query and each document that is relevant to it.

    Args:
        data: of one split.

    Returns:
        Kind "pairs", query by query; the source is the judgements, the row counts from 1.
    """
    place = {name: i for i, name in enumerate(data.document_ids)}
    found = [
        (i, place[document])
        for i, query in enumerate(data.query_ids)
        for document, grade in data.judgements[query].items()
        if grade > 0
    ]
    queries, documents = zip(*found, strict=True)
    columns = {
        "anchor": pa.array(data.queries, pa.large_string()).take(pa.array(queries)),
        "positive": pa.array(data.documents, pa.large_string()).take(pa.array(documents)),
    }
    note = Note(text="queries and their relevant documents became pairs", count=len(found))
    return Dataset(
        kind="pairs",
        table=pa.table(columns),
        sources=data.sources[-1:] or (data.name,),
        source=np.zeros(len(found), np.int32),
        row=np.arange(1, len(found) + 1),
        columns={"anchor": "query-id", "positive": "corpus-id"},
        notes=(*data.notes, note),
    )
