"""The ways to search vectors: which there are, what each holds in memory, and which to take."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

from likewise.errors import InputError
from likewise.extras import require
from likewise.mining.approximate import (
    LEARNT_FROM,
    LINKS,
    index_flat,
    index_hnsw,
    index_ivf,
    n_lists,
)
from likewise.mining.kept_search import Search
from likewise.mining.neighbours import DOCUMENTS, QUERIES, Floats, search_cosine
from likewise.registry import Table

AUTO = "auto"
LONG = 2e13  # products of an exact search above which lists are searched: about 5 minutes here


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSpec:
    """A way to search.

    Attributes:
        build: from vectors [N, D] to the search.
        held: bytes in memory for N documents of width D, beside the vectors' file.
        package: that it needs, if any.
    """

    build: Callable[[Floats], Search]
    held: Callable[[int, int], int]
    package: str = ""


def _build_exact(documents: Floats) -> Search:
    return partial(search_cosine, documents=documents)


INDEXES: Table[IndexSpec] = Table(
    "likewise.indexes",
    {
        "exact": IndexSpec(  # blocks of scores, and of documents in float64 and float32
            build=_build_exact,
            held=lambda n, width: min(n, DOCUMENTS) * (16 * QUERIES + 24 * width),
        ),
        "faiss-flat": IndexSpec(
            build=index_flat, held=lambda n, width: 4 * n * width, package="faiss"
        ),
        "ivf": IndexSpec(
            build=index_ivf,
            held=lambda n, width: n * (4 * width + 8) + 8 * LEARNT_FROM * n_lists(n) * width,
            package="faiss",
        ),
        "hnsw": IndexSpec(
            build=index_hnsw,
            held=lambda n, width: n * (4 * width + 8 * LINKS + 16),
            package="faiss",
        ),
    },
)


def choose_index(name: str, *, queries: int, documents: int, width: int, memory: float) -> str:
    """The way to search, or an error before any work.

    Args:
        name: one of `INDEXES`, or "auto": exact search as long as it takes minutes, or where
            faiss is not installed or its lists do not fit; else lists.
        queries: Q.
        documents: N.
        width: D.
        memory: gigabytes that an index may take.

    Raises:
        InputError: there is no such index, or it is over the budget.
        MissingExtra: it needs a package that is not installed.
    """
    budget = memory * 1e9
    if name == AUTO:
        is_short = queries * documents * width <= LONG
        fits = INDEXES["ivf"].held(documents, width) <= budget
        return "exact" if is_short or not fits or find_spec("faiss") is None else "ivf"
    spec = INDEXES.pick(name, what="index")
    if spec.package:
        require(spec.package, extra="mining")
    held = spec.held(documents, width)
    if held > budget:
        problem = (
            f"the index {name} of {documents:,} vectors of {width} dimensions takes "
            f"{held / 1e9:.3g} GB, and --memory allows {memory:g}"
        )
        mend = f"--memory {held / 1e9:.3g}"
        if INDEXES["exact"].held(documents, width) <= budget:
            mend = f"--index exact, which reads the vectors from their file; or {mend}"
        raise InputError(problem, mend=mend)
    return name
