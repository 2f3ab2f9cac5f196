from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likewise.mining import lexical
from likewise.mining.lexical import search_bm25

WORDS = ("cat", "dog", "river", "engine", "mat")


def lucene(query, documents):
    """Scores by the formula that Lucene prints: idf tf / (tf + k1 (1 - b + b l / L))."""
    words = [document.split() for document in documents]
    mean = sum(map(len, words)) / len(words)
    scores = np.zeros(len(words))
    for term, times in Counter(query.split()).items():
        df = sum(term in w for w in words)
        idf = np.log(1 + (len(words) - df + 0.5) / (df + 0.5))
        for i, w in enumerate(words):
            tf = w.count(term)
            scores[i] += times * idf * tf / (tf + 1.5 * (0.25 + 0.75 * len(w) / mean))
    return scores


text = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)


@given(st.lists(text, min_size=1, max_size=5), st.lists(text, min_size=1, max_size=12))
@settings(deadline=None)
def test_the_ranking_follows_lucenes_formula(queries, documents):
    found = search_bm25(queries, documents, depth=5)
    for i, query in enumerate(queries):
        scores = lucene(query, documents)
        expected = sorted(scores[scores > 0], reverse=True)[:5]
        n = len(expected)
        np.testing.assert_allclose(found.scores[i, :n], expected, rtol=1e-5)
        np.testing.assert_allclose(scores[found.positions[i, :n]], expected, rtol=1e-5)
        assert (found.positions[i, n:] == -1).all()


def test_blocks_change_nothing(monkeypatch):
    texts = [f"{a} {b}" for a in WORDS for b in WORDS]
    whole = search_bm25(texts, texts, depth=7)
    monkeypatch.setattr(lexical, "SCORES", 60)  # two queries at a time
    parts = search_bm25(texts, texts, depth=7)
    np.testing.assert_array_equal(parts.positions, whole.positions)


def test_equal_documents_come_in_order_and_a_skipped_one_not_at_all():
    found = search_bm25(["cat"] * 2, ["cat", "cat", "dog"], depth=3, skipped=np.array([-1, 0]))
    assert found.positions.tolist() == [[0, 1, -1], [1, -1, -1]]


@pytest.mark.parametrize("documents", [["the of", "?"], ["dog"]])
def test_without_a_word_in_common_nothing_is_found(documents):
    found = search_bm25(["cat", "", "the"], documents, depth=2)
    assert (found.positions == -1).all()
    assert found.positions.shape == (3, 2)


def test_nobody_asks():
    assert search_bm25([], ["cat"], depth=2).positions.shape == (0, 2)
