"""Which index is taken, and which is refused before any work."""

import sys
import tracemalloc

import numpy as np
import pytest

from likewise.errors import InputError, MissingExtra
from likewise.mining import indexes
from likewise.mining.indexes import INDEXES, choose_index

MILLION = {"queries": 100_000, "documents": 1_000_000, "width": 384, "memory": 4.0}


@pytest.fixture
def with_faiss(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(indexes, "find_spec", lambda name: object())
    monkeypatch.setattr(indexes, "require", lambda name, *, extra: None)


@pytest.fixture
def without_faiss(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "faiss", None)  # as if it were not installed
    monkeypatch.setattr(indexes, "find_spec", lambda name: None)


def test_exact_search_is_taken_while_it_is_quick(with_faiss):
    small = {**MILLION, "queries": 1000, "documents": 10_000}
    assert choose_index("auto", **small) == "exact"
    assert choose_index("auto", **MILLION) == "ivf"
    assert choose_index("auto", **{**MILLION, "memory": 1.0}) == "exact"


def test_without_faiss_search_is_exact_and_an_index_names_its_extra(without_faiss):
    assert choose_index("auto", **MILLION) == "exact"
    for name in ("faiss-flat", "ivf", "hnsw"):
        with pytest.raises(MissingExtra, match=r'"likewise\[mining\]"'):
            choose_index(name, **MILLION)


@pytest.mark.parametrize("name", ["faiss-flat", "ivf", "hnsw"])
def test_an_index_over_the_budget_is_refused_with_what_to_do(name: str, with_faiss):
    assert choose_index(name, **MILLION) == name  # a million of 384 fit in 4 GB
    with pytest.raises(InputError, match=f"the index {name} of 1,000,000 vectors") as caught:
        choose_index(name, **{**MILLION, "memory": 1.5})
    assert "--index exact" in caught.value.mend
    assert "--memory" in caught.value.mend


def test_where_nothing_fits_more_memory_is_asked_for():
    with pytest.raises(InputError, match="takes") as caught:
        choose_index("exact", **{**MILLION, "memory": 0.01})
    assert caught.value.mend.startswith("--memory 0.1")


def test_an_unknown_index_is_answered_with_a_known_one():
    with pytest.raises(InputError, match='no index "hsnw"') as caught:
        choose_index("hsnw", **MILLION)
    assert "hnsw" in caught.value.mend


def test_exact_search_takes_no_more_memory_than_is_said():
    rng = np.random.default_rng(0)
    documents, queries = (rng.normal(size=(n, 32)).astype(np.float32) for n in (20_000, 600))
    search = INDEXES["exact"].build(documents)
    tracemalloc.start()
    search(queries, depth=10)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < INDEXES["exact"].held(len(documents), 32)
