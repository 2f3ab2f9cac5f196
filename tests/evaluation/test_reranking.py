from dataclasses import replace

import numpy as np
import pytest

from evaluation.conftest import PAIR_CASES, retrieval_case
from likewise.data.dataset import RetrievalSet
from likewise.evaluation import reranking
from likewise.evaluation.baselines import evaluate_bm25
from likewise.evaluation.reranking import rerank_corpus, rerank_pairs

DOCUMENTS = {
    "d1": "cat cat cat",
    "d2": "a cat and a mat",
    "d3": "the cat sat here with a dog",
    "d4": "dogs run",
    "d5": "nothing at all",
}


@pytest.fixture
def small():
    return RetrievalSet(
        name="small",
        split="test",
        query_ids=("q1", "q2", "q3"),
        queries=("cat", "dogs", "zebra"),
        document_ids=tuple(DOCUMENTS),
        documents=tuple(DOCUMENTS.values()),
        judgements={"q1": {"d3": 1}, "q2": {"d4": 1, "d5": 1}, "q3": {"d1": 1}},
    )


def longest(pairs):
    return np.array([len(right) for _, right in pairs], dtype=np.float32)


def test_what_bm25_found_is_ranked_by_the_model(small):
    result = rerank_corpus(longest, small, resamples=100)
    assert result.details["top_documents"] == (("d3", "d2", "d1"), ("d4",), ())
    assert result.details["first_ranks"].tolist() == [1, 1, 0]
    # q1 has its document, q2 one of two, q3 none
    assert result.details["candidates_recall"] == pytest.approx((1 + 0.5 + 0) / 3)
    assert "50% of the relevant ones" in result.notes[0]


def test_only_so_many_candidates_are_scored(small, monkeypatch):
    monkeypatch.setattr(reranking, "CANDIDATES", 2)
    asked = []

    def predict(pairs):
        asked.extend(pairs)
        return longest(pairs)

    rerank_corpus(predict, small, resamples=100)
    assert asked == [
        ("cat", DOCUMENTS["d2"]), ("cat", DOCUMENTS["d1"]), ("dogs", DOCUMENTS["d4"]),
    ]  # fmt: skip


def test_equal_scores_are_ranked_by_id_the_later_first(small):
    result = rerank_corpus(lambda pairs: np.zeros(len(pairs)), small, resamples=100)
    assert result.details["top_documents"][0] == ("d3", "d2", "d1")


def test_bm25s_own_scores_give_bm25s_own_metrics():
    case = retrieval_case(by_words=True)
    plain = evaluate_bm25(case.data, metrics=("ndcg@10", "mrr@10"), resamples=100)
    scores = dict(
        zip(
            (
                (query, document)
                for query, row in zip(
                    plain.details["query_ids"], plain.details["top_documents"], strict=True
                )
                for document in row
            ),
            plain.details["top_scores"].ravel().tolist(),
            strict=True,
        )
    )
    query_ids = dict(zip(case.data.queries, case.data.query_ids, strict=True))
    document_ids = dict(zip(case.data.documents, case.data.document_ids, strict=True))

    def predict(pairs):
        ids = ((query_ids[q], document_ids[d]) for q, d in pairs)
        return np.array([scores.get(pair, -1.0) for pair in ids])

    result = rerank_corpus(predict, case.data, metrics=("ndcg@10", "mrr@10"), resamples=100)
    for metric, score in plain.scores.items():
        assert result.scores[metric].value == pytest.approx(score.value)


def test_where_no_word_is_shared_the_model_is_not_asked(small):
    result = rerank_corpus(lambda pairs: 1 / 0, replace(small, queries=("x", "y", "z")))
    assert result.scores["ndcg@10"].value == 0


def test_pairs_are_reranked_among_their_own_texts():
    case = PAIR_CASES["pairs"]()
    result = rerank_pairs(case.perfect, case.data, resamples=100)
    assert result.scores["precision@1"].value == 1
    assert result.n == len(case.data)
