"""A retrieval set in an order of its own, and rankings held to its judgements."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from likewise.data.dataset import RetrievalSet
from likewise.errors import InputError, Where
from likewise.mining.neighbours import Ranking


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A retrieval set in an order that its files do not decide: by ids.

    Queries are those with a relevant document, by id; documents are by id, the last first, so
    that a tie goes to the lower position as trec_eval has it.
    """

    data: RetrievalSet

    def __post_init__(self) -> None:
        where = Where(path=self.data.sources[0] if self.data.sources else self.data.name)
        if not self.data.documents:
            raise InputError("the corpus is empty", mend="give documents to find", where=where)
        if not self.query_ids:
            problem = f"none of the {len(self.data)} queries has a relevant document"
            mend = "the qrels need a grade over 0 for the ids in queries.jsonl, or another --split"
            raise InputError(problem, mend=mend, where=where)

    @cached_property
    def query_ids(self) -> list[str]:
        """[Q] ids."""
        judged = self.data.judgements
        return sorted(
            q for q in self.data.query_ids if max(judged.get(q, {}).values(), default=0) > 0
        )

    @cached_property
    def queries(self) -> list[str]:
        """[Q] texts."""
        texts = dict(zip(self.data.query_ids, self.data.queries, strict=True))
        return [texts[q] for q in self.query_ids]

    @cached_property
    def document_ids(self) -> list[str]:
        """[N] ids, descending."""
        return sorted(self.data.document_ids, reverse=True)

    @cached_property
    def documents(self) -> list[str]:
        """[N] texts."""
        texts = dict(zip(self.data.document_ids, self.data.documents, strict=True))
        return [texts[d] for d in self.document_ids]

    @cached_property
    def positions(self) -> dict[str, int]:
        """Document id to position."""
        return {d: i for i, d in enumerate(self.document_ids)}

    @cached_property
    def own_documents(self) -> NDArray[np.int64]:
        """[Q] position of the document that is the query itself, or -1."""
        return np.array(
            [self._own(q, t) for q, t in zip(self.query_ids, self.queries, strict=True)]
        )

    def _own(self, query_id: str, text: str) -> int:
        position = self.positions.get(query_id, -1)
        if position < 0 or query_id in self.data.judgements[query_id]:
            return -1
        return position if text.strip() in self.documents[position] else -1

    def grades(self, ranking: Ranking) -> NDArray[np.float64]:
        """[Q, R] grades of ranked documents; 0 where unjudged or nothing was found."""
        out = np.zeros(ranking.positions.shape)
        for i, query in enumerate(self.query_ids):
            found = {place: rank for rank, place in enumerate(ranking.positions[i].tolist())}
            for document, grade in self.data.judgements[query].items():
                rank = found.get(self.positions.get(document, -2))
                if rank is not None:
                    out[i, rank] = grade
        return out

    def all_grades(self) -> NDArray[np.float64]:
        """[Q, J] grades of all judged documents, those outside the corpus too, padded with 0."""
        rows = [list(self.data.judgements[query].values()) for query in self.query_ids]
        out = np.zeros((len(rows), max(map(len, rows))))
        for i, row in enumerate(rows):
            out[i, : len(row)] = row
        return out
