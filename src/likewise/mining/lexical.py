"""Search by words: BM25, which needs no model."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from likewise.mining.neighbours import (
    Groups,
    Pairs,
    Ranking,
    best_first,
    part_of,
    skipped_pairs,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_array

SCORES = 2**22  # held at once, 64 MB at most


def search_bm25(
    queries: Sequence[str],
    documents: Sequence[str],
    *,
    depth: int,
    skipped: Pairs | None = None,
) -> Ranking:
    """BM25 as Lucene computes it (Robertson and Zaragoza 2009), by the package bm25s.

    Words are bm25s's own: lower case, runs of two or more word characters (so that `snake_case`
    is one word), English stop words left out, no stemming; k1 1.5, b 0.75.

    Args:
        queries: Q texts.
        documents: N texts.
        depth: R, how many to keep.
        skipped: what a query must not find, as for `search_cosine`.

    Returns:
        Ties go to the lower position. A document that shares no word with the query is not found.
    """
    return Bm25(documents)(queries, depth=depth, skipped=skipped)


class Bm25:
    """Documents made ready to be searched by their words, once for many queries."""

    def __init__(self, documents: Sequence[str]) -> None:
        """Count the words of N texts."""
        words = _words(documents)
        self._n = len(documents)
        self._index = _index(words) if any(words) else None

    def __call__(
        self,
        queries: Sequence[str],
        *,
        depth: int,
        skipped: Pairs | None = None,
        groups: Groups | None = None,
    ) -> Ranking:
        """Rank the documents for some queries, as `search_bm25`; `groups` as `search_cosine`."""
        asked = _words(queries)
        if self._index is None or not asked:
            nothing = np.full((len(queries), 0), -np.inf)
            return best_first(nothing, np.arange(0), depth=depth)
        weights, columns = self._index
        left_out = skipped_pairs(skipped)
        height = max(1, SCORES // self._n)
        parts = []
        for start in range(0, len(asked), height):
            scores = _counts(asked[start : start + height], columns, weights.shape[0]) @ weights
            scores.sort_indices()
            for i, (low, high) in enumerate(pairwise(scores.indptr.tolist()), start):
                found, places = scores.data[low:high], scores.indices[low:high].astype(np.int64)
                wrong = np.isin(places, part_of(left_out, slice(i, i + 1))[:, 1])
                if groups is not None:
                    wrong |= groups[1][places] == groups[0][i]
                parts.append(best_first(np.where(wrong, -np.inf, found)[None], places, depth=depth))
        return Ranking(
            positions=np.concatenate([part.positions for part in parts]),
            scores=np.concatenate([part.scores for part in parts]),
        )


def _words(texts: Sequence[str]) -> list[list[str]]:
    import bm25s

    words: list[list[str]] = bm25s.tokenize(
        list(texts), stopwords="english", return_ids=False, show_progress=False
    )
    return words


def _index(words: list[list[str]]) -> "tuple[csr_array, dict[str, int]]":
    """[V, N] what each word adds to the score of each document, and the row of each word."""
    import bm25s
    from scipy.sparse import csr_array

    index = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
    index.index(words, show_progress=False)
    found = index.scores
    weights = csr_array(
        (found["data"].astype(np.float64), found["indices"], found["indptr"]),
        shape=(len(found["indptr"]) - 1, len(words)),
    )
    size = weights.shape[0]
    return weights, {word: row for word, row in index.vocab_dict.items() if row < size}


def _counts(words: list[list[str]], columns: dict[str, int], size: int) -> "csr_array":
    """[Q, V] how often each word of the index stands in each query."""
    from scipy.sparse import csr_array

    counted = [Counter(columns[w] for w in query if w in columns) for query in words]
    lengths = np.cumsum([0, *(len(query) for query in counted)])
    values = [count for query in counted for count in query.values()]
    indices = [column for query in counted for column in query]
    return csr_array(
        (np.array(values, np.float64), np.array(indices, np.int64), lengths),
        shape=(len(words), size),
    )
