from dataclasses import replace

import numpy as np
import pytest
import pytrec_eval

from evaluation.conftest import random_vectors, retrieval_case
from likewise.data.dataset import RetrievalSet
from likewise.errors import InputError
from likewise.evaluation.judged import Judged
from likewise.evaluation.retrieval import (
    evaluate_retrieval,
    parse_metrics,
    score_ranking,
)
from likewise.mining.neighbours import Ranking


def graded_set(seed: int) -> RetrievalSet:
    """Graded judgements; one query has no relevant document, one has it outside the corpus."""
    rng = np.random.default_rng(seed)
    documents = [f"d{i}" for i in rng.permutation(60)]
    judgements = {}
    for i in range(20):
        chosen = rng.choice(documents, size=int(rng.integers(1, 12)), replace=False)
        judgements[f"q{i}"] = {d: int(rng.integers(0, 4)) for d in chosen}
    judgements["q3"] = {"d1": 0}
    judgements["q4"]["nowhere"] = 2
    return RetrievalSet(
        name="graded",
        split="dev",
        query_ids=tuple(judgements),
        queries=tuple(f"query {q}" for q in judgements),
        document_ids=tuple(documents),
        documents=tuple(f"document {d}" for d in documents),
        judgements=judgements,
    )


def coarse(texts, *, role=None):
    """Vectors of few values, so that many cosines are equal."""
    return np.sign(random_vectors(4)(texts)).astype(np.float32)


@pytest.mark.parametrize("embed", [random_vectors(), coarse], ids=["distinct", "tied"])
@pytest.mark.parametrize("seed", range(4))
def test_every_metric_is_that_of_trec_eval_on_the_same_run(embed, seed):
    data = graded_set(seed)
    metrics = ("ndcg@10", "recall@5", "map@20", "precision@3", "mrr@60", "recall@100")
    result = evaluate_retrieval(embed, data, metrics=metrics, resamples=100)
    q, d = (embed(side).astype(float) for side in (data.queries, data.documents))
    cosines = (q / np.linalg.norm(q, axis=1)[:, None]) @ (d / np.linalg.norm(d, axis=1)[:, None]).T
    run = {
        query: dict(zip(data.document_ids, row.round(6).tolist(), strict=True))
        for query, row in zip(data.query_ids, cosines, strict=True)
    }
    theirs = ("ndcg_cut_10", "recall_5", "map_cut_20", "P_3", "recip_rank", "recall_100")
    expected = pytrec_eval.RelevanceEvaluator(data.judgements, set(theirs)).evaluate(run)
    kept = result.details["query_ids"]
    assert "q3" not in kept
    assert result.n == len(kept)
    for ours, name in zip(metrics, theirs, strict=True):
        each = [expected[query][name] for query in kept]
        np.testing.assert_allclose(result.details["values"][ours], each, atol=1e-9)
        assert result.scores[ours].value == pytest.approx(np.mean(each))


def test_queries_and_documents_are_embedded_once_each_in_their_roles(retrieval_set):
    calls = []
    embed = random_vectors()

    def counted(texts, *, role=None):
        calls.append((role, len(texts)))
        return embed(texts)

    evaluate_retrieval(counted, retrieval_set, resamples=100)
    n = len(retrieval_set)
    assert calls == [("query", n), ("document", n)]


def test_details_hold_what_a_report_shows(retrieval_set):
    embed = random_vectors()
    details = evaluate_retrieval(embed, retrieval_set, resamples=100).details
    ids, top = details["query_ids"], details["top_documents"]
    n = len(ids)
    assert list(ids) == sorted(retrieval_set.query_ids)
    assert {len(row) for row in top} == {10}
    assert details["top_scores"].shape == (n, 10)
    assert (np.diff(details["top_scores"], axis=1) <= 0).all()
    for query, row, rank, first in zip(
        ids, top, details["first_ranks"], details["first_relevant"], strict=True
    ):
        right = f"d{query[1:]}"
        assert first == (right if rank else "")
        assert (right in row) == (1 <= rank <= 10)
        if 1 <= rank <= 10:
            assert row[rank - 1] == right
    vectors = dict(zip(retrieval_set.documents, embed(retrieval_set.documents), strict=True))
    query = embed([f"query {ids[0][1:]}"])[0]
    answer = vectors[f"document {ids[0][1:]}"]
    cosine = query @ answer / np.linalg.norm(query) / np.linalg.norm(answer)
    assert details["relevant_cosines"][0] == pytest.approx(cosine, abs=1e-6)
    assert details["other_cosines"].shape == details["relevant_cosines"].shape == (n,)


def test_a_document_that_is_the_query_itself_is_not_found_but_a_stranger_of_its_id_is():
    """As in ArguAna, where the corpus holds the queries."""
    case = retrieval_case()
    own, stranger = "its title. query 0", "a stranger of the same number"
    data = replace(
        case.data,
        document_ids=(*case.data.document_ids, "q0", "q1"),
        documents=(*case.data.documents, own, stranger),
    )
    like = {own: "query 0", stranger: "query 1"}

    def embed(texts, *, role=None):
        return case.perfect([like.get(text, text) for text in texts])

    details = evaluate_retrieval(embed, data, resamples=100).details
    top = dict(zip(details["query_ids"], details["top_documents"], strict=True))
    assert "q0" not in top["q0"]
    assert top["q0"][0] == "d0"
    assert top["q1"][0] == "q1"


def test_nothing_found_counts_as_wrong(retrieval_set):
    task = Judged(data=retrieval_set)
    n = len(task.query_ids)
    nothing = Ranking(positions=np.full((n, 10), -1), scores=np.full((n, 10), -np.inf))
    result = score_ranking(nothing, task, resamples=100)
    assert {score.value for score in result.scores.values()} == {0}
    assert set(result.details["top_documents"]) == {()}


def test_metric_names_are_read_and_wrong_ones_refused():
    assert parse_metrics(("ndcg@10", "map@100")) == {
        "ndcg@10": ("ndcg", 10),
        "map@100": ("map", 100),
    }
    for wrong in (("ndcg",), ("ndcg@0",), ("ndcg@ten",), ("hits@10",), ()):
        with pytest.raises(InputError, match="retrieval metric"):
            parse_metrics(wrong)


def test_the_first_metric_leads(retrieval_set):
    result = evaluate_retrieval(random_vectors(), retrieval_set, metrics=("mrr@5", "ndcg@10"))
    assert result.primary == "mrr@5"
    assert result.interval == (result.scores["mrr@5"].low, result.scores["mrr@5"].high)
