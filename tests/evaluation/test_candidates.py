import numpy as np
import pytest
from sentence_transformers.sentence_transformer.evaluation import RerankingEvaluator

from evaluation.conftest import (
    cosine_of,
    random_vectors,
    reranked_pairs_case,
    reranking_case,
    table,
)
from likewise.data import read
from likewise.errors import InputError
from likewise.evaluation import evaluate, evaluate_baseline
from likewise.evaluation.candidates import evaluate_candidates, predict_candidates


def judged(**columns):
    return table(kind="reranking", **columns)


@pytest.fixture
def data():
    return reranking_case().data


def test_the_numbers_are_the_peers(data):
    embed = random_vectors()
    result = evaluate_candidates(embed, data, resamples=100)

    class Model:
        """What the peer asks a model for."""

        similarity_fn_name = "cosine"
        truncate_dim = None

        def encode(self, texts, **_):
            return embed([texts])[0] if isinstance(texts, str) else embed(texts)

        encode_query = encode_document = encode

        def similarity(self, a, b):
            import torch

            a, b = (torch.nn.functional.normalize(torch.as_tensor(x), dim=-1) for x in (a, b))
            return a @ b.T

    rows = list(zip(data.texts("query"), data.texts("document"), data.labels(), strict=True))
    samples = [
        {
            "query": query,
            "positive": [d for q, d, label in rows if q == query and label],
            "negative": [d for q, d, label in rows if q == query and not label],
        }
        for query in dict.fromkeys(data.texts("query"))
    ]
    theirs = RerankingEvaluator(samples, at_k=10).compute_metrices(Model())
    assert result.map == pytest.approx(theirs["map"], abs=1e-6)
    assert result.scores["mrr@10"].value == pytest.approx(theirs["mrr"], abs=1e-6)
    assert result.scores["ndcg@10"].value == pytest.approx(theirs["ndcg"], abs=1e-6)


def test_a_ranking_by_hand():
    """An answer at ranks 1 and 3 of three, and one at rank 2 of two."""
    scores = {("q", "a"): 3, ("q", "b"): 2, ("q", "c"): 1, ("r", "a"): 1, ("r", "d"): 2}
    data = judged(
        query=["q", "q", "q", "r", "r"], document=["a", "b", "c", "a", "d"], label=[2, 0, 1, 1, 0]
    )
    result = predict_candidates(lambda pairs: np.array([scores[p] for p in pairs]), data)
    assert result.details["values"]["map"].tolist() == pytest.approx([(1 + 2 / 3) / 2, 1 / 2])
    assert result.details["values"]["mrr@10"].tolist() == [1, 1 / 2]
    assert result.details["values"]["precision@1"].tolist() == [1, 0]
    best = 2 + 1 / np.log2(3)
    ndcg = [(2 + 1 / np.log2(4)) / best, 1 / np.log2(3)]
    assert result.details["values"]["ndcg@10"].tolist() == pytest.approx(ndcg)
    assert result.details["chance"] == 3 / 5
    assert result.n == 2


def test_queries_that_say_nothing_are_left_out_and_counted():
    data = judged(
        query=["q", "q", "all", "none", "none"], document=["a", "b", "a", "a", "b"],
        label=[1, 0, 1, 0, 0],
    )  # fmt: skip
    result = evaluate_candidates(random_vectors(), data, resamples=100)
    assert result.n == 1
    assert result.notes == ("2 of 3 queries were left out: all documents answer, or none",)


def test_a_document_that_is_judged_twice_counts_once_with_its_best_grade():
    twice = judged(query=["q"] * 4, document=["a", "a", "b", "b"], label=[0, 1, 0, 0])
    result = evaluate_candidates(random_vectors(), twice, resamples=100)
    assert result.details["chance"] == 1 / 2


def test_nothing_to_put_in_order_is_refused():
    data = judged(query=["q", "r"], document=["a", "b"], label=[1, 0])
    with pytest.raises(InputError, match="none of 2 queries has both") as raised:
        evaluate_candidates(random_vectors(), data)
    assert "some that do not" in raised.value.mend


def test_pairs_with_negatives_are_reranked_where_that_is_asked_for():
    pairs, rows = reranked_pairs_case().data, reranking_case().data
    embed = random_vectors()
    found = evaluate(embed, pairs, evaluator="reranking", resamples=100)
    assert found.scores == evaluate(embed, rows, resamples=100).scores
    assert evaluate(embed, pairs, resamples=100).evaluator == "pairs"


def test_pairs_without_negatives_are_refused():
    texts = [f"text {i}" for i in range(10)]
    pairs = table(kind="pairs", anchor=texts, positive=texts[::-1])
    with pytest.raises(InputError, match="pairs without negatives have nothing to rerank"):
        evaluate(random_vectors(), pairs, evaluator="reranking")


def test_a_model_of_pairs_that_says_the_cosines_gets_the_same(data):
    embed = random_vectors()
    one = evaluate_candidates(embed, data, resamples=100)
    other = predict_candidates(cosine_of(embed), data, resamples=100)
    for metric, score in one.scores.items():
        assert other.scores[metric].value == pytest.approx(score.value, abs=1e-6)


def test_shared_words_are_the_baseline(data):
    plain = evaluate_baseline(data, resamples=100)
    assert plain.model == "TF-IDF"
    assert plain.map == pytest.approx(1)  # question and answer share their number


@pytest.mark.shared
def test_real_judgements_are_read_and_ranked(shared):
    data = read(shared / "trecqa" / "dev.csv.gz")
    result = evaluate_baseline(data, resamples=100)
    assert result.n == 65
    assert 0.4 < result.map < 0.8
    assert "of 81 queries were left out" in result.notes[0]
