"""Search by FAISS (Johnson et al. 2019): flat, inverted lists, and a graph of neighbours.

Whatever an index finds is ranked by cosines in float64, as `search_cosine` ranks; an index can
only fail to find.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likewise.errors import InputError
from likewise.extras import require
from likewise.mining.neighbours import (
    Floats,
    Groups,
    Pairs,
    Ranking,
    best_first,
    cosines_of,
    skipped_pairs,
)
from likewise.mining.vectors import unit

ADDED = 65_536  # documents given to an index at a time
SLACK = 8  # found beyond the depth: near ties in float32 are told apart in float64
LINKS = 32  # of a document in the graph (Malkov and Yashunin 2018: 5 to 48, more for more recall)
BUILT_WITH = 128  # candidates looked at to link a document
LISTS = 4  # times the root of the documents
PROBED = 64  # lists searched for a query
LEARNT_FROM = 64  # documents a list, from which its centre is learnt


class FaissSearch:
    """An index of FAISS over documents of length 1, and their vectors as they came."""

    def __init__(self, index: Any, documents: Floats) -> None:
        """Add all documents.

        Args:
            index: by inner product, trained, empty.
            documents: [N, D].
        """
        for start in range(0, len(documents), ADDED):
            index.add(_narrow(documents[start : start + ADDED]))
        self._index = index
        self._documents = documents

    def __call__(
        self,
        queries: Floats,
        *,
        depth: int,
        skipped: Pairs | None = None,
        groups: Groups | None = None,
    ) -> Ranking:
        """What the index finds for each query, ranked as by `search_cosine`.

        Raises:
            InputError: with groups, which an index does not know.
        """
        if groups is not None:
            problem = "rows of classes are kept apart by exact search alone"
            raise InputError(problem, mend="--index exact")
        n = len(self._documents)
        left_out = skipped_pairs(skipped)
        most = int(np.bincount(left_out[:, 0], minlength=1).max(initial=0))
        deep = min(depth + most + SLACK, n)
        if not len(queries) or not n:
            return best_first(np.empty((len(queries), 0)), np.arange(0), depth=depth)
        if hasattr(self._index, "hnsw"):
            self._index.hnsw.efSearch = max(2 * deep, BUILT_WITH)
        places = np.sort(self._index.search(_narrow(queries), deep)[1], axis=1)  # ties in order
        rows = np.arange(len(queries))[:, None]
        places[np.isin(rows * n + places, left_out[:, 0] * n + left_out[:, 1])] = -1
        cosines = np.full(places.shape, -np.inf)
        found = np.argwhere(places >= 0)
        pairs = np.stack([found[:, 0], places[places >= 0]], axis=1)
        cosines[places >= 0] = cosines_of(queries, self._documents, pairs)
        return best_first(cosines, places, depth=depth)


def index_flat(documents: Floats) -> FaissSearch:
    """All documents compared with every query, as exact search does.

    Args:
        documents: [N, D].

    Raises:
        MissingExtra: faiss is not installed.
    """
    faiss = require("faiss", extra="mining")
    return FaissSearch(faiss.IndexFlatIP(documents.shape[1]), documents)


def index_ivf(documents: Floats) -> FaissSearch:
    """Documents in lists, by the nearest of 4 √N centres; of each query 64 lists are searched.

    Args:
        documents: [N, D].

    Raises:
        MissingExtra: faiss is not installed.
    """
    faiss = require("faiss", extra="mining")
    n, width = documents.shape
    lists = n_lists(n)
    centres = faiss.IndexFlatIP(width)
    index = faiss.IndexIVFFlat(centres, width, lists, faiss.METRIC_INNER_PRODUCT)
    index.cp.min_points_per_centroid = 1  # else it warns on small corpora
    step = max(n // (LEARNT_FROM * lists), 1)
    index.train(_narrow(documents[::step]))
    index.nprobe = min(PROBED, lists)
    return FaissSearch(index, documents)


def index_hnsw(documents: Floats) -> FaissSearch:
    """Documents linked to their neighbours (Malkov and Yashunin 2018): slow to build, fast to ask.

    Args:
        documents: [N, D].

    Raises:
        MissingExtra: faiss is not installed.
    """
    faiss = require("faiss", extra="mining")
    index = faiss.IndexHNSWFlat(documents.shape[1], LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = BUILT_WITH
    return FaissSearch(index, documents)


def n_lists(n: int) -> int:
    """How many lists n documents stand in."""
    return max(1, min(int(LISTS * math.sqrt(n)), n // 8))


def _narrow(vectors: Floats) -> NDArray[np.float32]:
    return np.ascontiguousarray(unit(vectors), dtype=np.float32)
