"""Checked rows: their kind, their columns by role, and where each came from."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from likewise.data.clusters import TextKeys, column_keys
from likewise.data.digest import column_digest
from likewise.errors import Where

NO_TEXTS = frozenset({"score", "scores", "label", "group", "title"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One thing that reading decided or dropped, for the user to see."""

    text: str
    count: int = 0

    def __str__(self) -> str:
        return f"{self.text}: {self.count:,}" if self.count else self.text


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Rows of one kind, with their columns bound by role.

    Attributes:
        kind: a name in `KINDS`, such as "pairs".
        table: one column a role, in the kind's order. Texts are large_string (a role that takes
            several texts a row is a list of them), scores are float64 in the file's own unit,
            labels are int64 where the kind has a fixed set of them, else large_string. Pairs that
            were made from classes also have an int64 column "group": rows of one group are never
            negatives of one another. Texts that are a retrieval set's corpus have "title": the
            start of the text that is its title, or null.
        sources: the files read, in order.
        source: [n] index into `sources`.
        row: [n] row in that file, from 1, as an editor shows it.
        columns: role to the column's name in the file.
        notes: what reading decided or dropped.
        score_range: lowest and highest possible score, stated or inferred over the whole file.
    """

    kind: str
    table: pa.Table
    sources: tuple[str, ...]
    source: NDArray[np.int32]
    row: NDArray[np.int64]
    columns: dict[str, str]
    notes: tuple[Note, ...] = ()
    score_range: tuple[float, float] | None = None

    def __len__(self) -> int:
        rows: int = self.table.num_rows
        return rows

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that this data has, in the kind's order."""
        return tuple(self.table.column_names)

    def texts(self, role: str) -> list[str]:
        """The n texts of a role that has one text a row."""
        texts: list[str] = self.table.column(role).to_pylist()
        return texts

    def text_lists(self, role: str) -> list[list[str]]:
        """The texts of a role, each row as a list: one text, several, or none."""
        column = self.table.column(role)
        if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
            return [row or [] for row in column.to_pylist()]
        return [[] if text is None else [text] for text in column.to_pylist()]

    def numbers(self, role: str) -> NDArray[np.float64]:
        """[n] float64, in the file's own unit."""
        return np.asarray(self.table.column(role).to_numpy(), dtype=np.float64)

    def score_lists(self, role: str = "scores") -> NDArray[np.float64]:
        """[n, C] float64: C scores a row, in the file's own unit."""
        import pyarrow.compute as pc

        flat = pc.list_flatten(self.table.column(role)).to_numpy()
        return np.asarray(flat, dtype=np.float64).reshape(len(self), -1)

    def only(self, *roles: str) -> "Dataset":
        """The same rows with some of their columns."""
        return replace(self, table=self.table.select(list(roles)))

    def without(self, *roles: str) -> "Dataset":
        """The same rows without some of their columns; those that are not there do not matter."""
        return self.only(*(role for role in self.roles if role not in roles))

    def labels(self, role: str = "label") -> list[Any]:
        """The n labels: int where the kind has a fixed set of them, else str."""
        labels: list[Any] = self.table.column(role).to_pylist()
        return labels

    def text_roles(self) -> tuple[str, ...]:
        """The roles that hold texts to embed: all but scores, labels, groups and titles."""
        return tuple(role for role in self.roles if role not in NO_TEXTS)

    def all_texts(self) -> list[str]:
        """Every distinct text of every text column, in order of first appearance."""
        seen: dict[str, None] = {}
        for role in self.text_roles():
            for texts in self.text_lists(role):
                seen.update(dict.fromkeys(texts))
        return list(seen)

    def where(self, i: int, role: str | None = None) -> Where:
        """File, row and column of row i, as an error names them."""
        path = self.sources[int(self.source[i])]
        column = None if role is None else self.columns.get(role, role)
        return Where(path=path, row=int(self.row[i]), column=column)

    @property
    def file(self) -> Where | None:
        """The first file, as an error about all rows names it; None where there is none."""
        return _first_file(self.sources)

    def with_scores(
        self, scores: NDArray[np.float64], score_range: tuple[float, float]
    ) -> "Dataset":
        """The same rows with other scores [n], on a scale of their own."""
        place = self.table.column_names.index("score")
        table = self.table.set_column(place, "score", pa.array(scores))
        return replace(self, table=table, score_range=score_range)

    def take(self, indices: Sequence[int] | NDArray[np.int64]) -> "Dataset":
        """The rows at `indices`, in that order."""
        chosen = np.asarray(indices, dtype=np.int64)
        return replace(
            self,
            table=self.table.take(pa.array(chosen)),
            source=self.source[chosen],
            row=self.row[chosen],
        )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over kind, roles and values: the same rows in the same order give the same."""
        digest = hashlib.sha256(self.kind.encode())
        for name in self.roles:
            digest.update(name.encode())
            digest.update(column_digest(self.table.column(name)))
        return digest.hexdigest()

    @cached_property
    def keys(self) -> dict[str, TextKeys]:
        """Hashes of the normalised texts of each text role; they compare in one process only."""
        return {role: column_keys(self.table.column(role)) for role in self.text_roles()}


@dataclass(frozen=True, kw_only=True)
class RetrievalSet:
    """Queries, a corpus and relevance judgements, as in the BEIR layout.

    Attributes:
        name: of the folder, for tables.
        split: of the judgements.
        query_ids: ids of the judged queries of this split.
        queries: their texts, in the same order.
        document_ids: ids of the whole corpus.
        documents: their texts: title and text joined by a space.
        judgements: query id to {document id: grade}; a grade over 0 is relevant.
        titles: of the documents, each "" where there is none; empty where nothing is known of them.
    """

    name: str
    split: str
    query_ids: tuple[str, ...]
    queries: tuple[str, ...]
    document_ids: tuple[str, ...]
    documents: tuple[str, ...]
    judgements: dict[str, dict[str, int]]
    sources: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    kind: str = "retrieval"
    titles: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.queries)

    @property
    def file(self) -> Where | None:
        """The first file, as an error about all of it names it; None where there is none."""
        return _first_file(self.sources)

    def all_texts(self) -> list[str]:
        """Every distinct query and document, in order of first appearance."""
        return list(dict.fromkeys((*self.queries, *self.documents)))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over ids, texts and judgements."""
        digest = hashlib.sha256(b"retrieval")
        for part in (self.query_ids, self.queries, self.document_ids, self.documents):
            digest.update(repr(part).encode())
        judged = sorted((q, sorted(d.items())) for q, d in self.judgements.items())
        digest.update(repr(judged).encode())
        return digest.hexdigest()


def _first_file(sources: Sequence[str]) -> Where | None:
    return Where(path=sources[0]) if sources else None
