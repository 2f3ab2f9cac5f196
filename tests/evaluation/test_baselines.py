from dataclasses import replace

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from evaluation.conftest import table
from likewise.evaluation import baselines
from likewise.evaluation.baselines import (
    evaluate_bm25,
    evaluate_bm25_pairs,
    evaluate_tfidf,
    search_tfidf,
    tfidf_vectors,
)
from likewise.mining.neighbours import search_cosine

TEXTS = {
    "d1": "the cat sat on the mat",
    "d2": "a dog chased another cat over the hill",
    "d3": "stock markets fell sharply on monday",
    "d4": "markets rose",
}


def lucene(query: str, documents: dict[str, str]) -> dict[str, float]:
    """BM25 by the formula that Lucene prints for a match: idf tf / (tf + k1 (1 - b + b l / L))."""
    words = {d: [w for w in t.split() if w not in {"the", "on", "a"}] for d, t in documents.items()}
    mean = np.mean([len(w) for w in words.values()])
    scores = dict.fromkeys(documents, 0.0)
    for term in query.split():
        df = sum(term in w for w in words.values())
        idf = np.log(1 + (len(words) - df + 0.5) / (df + 0.5))
        for d, w in words.items():
            tf = w.count(term)
            scores[d] += idf * tf / (tf + 1.5 * (0.25 + 0.75 * len(w) / mean))
    return scores


@pytest.fixture
def small(retrieval_set):
    return replace(
        retrieval_set,
        query_ids=("q1", "q2", "q3"),
        queries=("cat mat", "markets", "zebra"),
        document_ids=tuple(TEXTS),
        documents=tuple(TEXTS.values()),
        judgements={"q1": {"d1": 1}, "q2": {"d3": 1}, "q3": {"d4": 1}},
    )


def test_bm25_ranks_by_lucenes_formula_and_finds_nothing_without_a_common_word(small):
    result = evaluate_bm25(small, resamples=100)
    found = result.details["top_documents"]
    for i, query in enumerate(("cat mat", "markets")):
        expected = lucene(query, TEXTS)
        ranked = sorted((d for d in expected if expected[d] > 0), key=expected.get, reverse=True)
        assert list(found[i]) == ranked
        scores = result.details["top_scores"][i][: len(ranked)]
        np.testing.assert_allclose(scores, [expected[d] for d in ranked], rtol=1e-5)
    assert found[2] == ()
    assert result.details["values"]["mrr@10"].tolist() == [1, 0.5, 0]
    assert result.model == "BM25"
    assert result.texts_per_second is None


def test_equal_documents_are_ranked_by_id_the_later_first(small):
    twins = replace(small, documents=("cat mat",) * 4)
    result = evaluate_bm25(twins, resamples=100)
    assert result.details["top_documents"][0] == ("d4", "d3", "d2", "d1")


def test_a_query_of_stop_words_finds_nothing(small):
    result = evaluate_bm25(replace(small, queries=("the of", "", "a")), resamples=100)
    assert set(result.details["top_documents"]) == {()}


def test_bm25_finds_pairs_that_share_words():
    anchors = [f"word{i} question" for i in range(20)]
    data = table(kind="pairs", anchor=anchors, positive=[f"answer word{i}" for i in range(20)])
    assert evaluate_bm25_pairs(data, resamples=100).scores["precision@1"].value == 1


def test_tfidf_is_the_cosine_of_dense_vectors():
    left = [
        "a cat sat",
        "dogs run",
        "x",
        "red car",
        "blue sky",
        "one two",
        "tea",
        "c d",
        "e",
        "f g",
    ]
    right = ["a cat ran", "dogs sleep", "y", "red bus", "blue", "two", "tea", "d e", "e f", "h"]
    data = table(kind="scored", sentence1=left, sentence2=right, score=np.arange(10.0))
    result = evaluate_tfidf(data, resamples=100)
    dense = TfidfVectorizer(token_pattern=r"\w+").fit_transform(left + right).toarray()
    np.testing.assert_allclose(
        result.details["cosines"], (dense[:10] * dense[10:]).sum(axis=1), atol=1e-9
    )
    assert result.model == "TF-IDF"


@pytest.mark.parametrize("cells", [2**22, 5])
def test_tfidf_is_searched_as_dense_vectors_are(monkeypatch, cells):
    monkeypatch.setattr(baselines, "CELLS", cells)
    vectors = tfidf_vectors([*TEXTS.values(), "a cat", "no such words", "markets fell"])
    found = search_tfidf(vectors[4:], vectors[:4], depth=3)
    expected = search_cosine(vectors[4:].toarray(), vectors[:4].toarray(), depth=3)
    np.testing.assert_array_equal(found.positions, expected.positions)
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-9)


def test_texts_without_words_have_no_tfidf_and_get_nothing():
    data = table(kind="scored", sentence1=["?"] * 10, sentence2=["!"] * 10, score=np.arange(10.0))
    assert evaluate_tfidf(data, resamples=100).spearman == 0
