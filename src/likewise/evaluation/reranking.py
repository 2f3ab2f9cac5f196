"""Reranking: a model of pairs puts what BM25 found in a better order."""

from dataclasses import replace

import numpy as np

from likewise.data.dataset import Dataset, RetrievalSet
from likewise.evaluation.judged import Judged
from likewise.evaluation.pairs import pairs_as_retrieval
from likewise.evaluation.predictions import Predict, checked_scores
from likewise.evaluation.result import Result
from likewise.evaluation.retrieval import METRICS, SHOWN, parse_metrics, score_ranking
from likewise.evaluation.statistics import RESAMPLES
from likewise.mining.lexical import search_bm25
from likewise.mining.neighbours import DECIMALS, best_first

CANDIDATES = 50  # documents of each query that are scored


def rerank_corpus(
    predict: Predict,
    data: RetrievalSet,
    *,
    metrics: tuple[str, ...] = METRICS,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Result:
    """Score the fifty best documents that BM25 finds for each query, and rank them by it.

    A document that BM25 does not put among them counts as not found, however good the model; the
    recall of the fifty, in the details, bounds every metric. Queries, judgements and ties are
    those of `evaluate_retrieval`, so that both can be compared.

    Args:
        predict: (query, document) pairs to [n]; called once.
        data: queries, corpus and graded judgements.
        metrics: as in `evaluate_retrieval`; the first one leads.
        resamples: bootstrap draws of queries behind the 95 % intervals.
        seed: of those draws.

    Returns:
        As `evaluate_retrieval`, without cosines; details also hold `candidates_recall`, the share
        of relevant documents among the fifty.

    Raises:
        InputError: as there, or the model answers several numbers a pair.
        LikewiseError: the scores are not finite.
    """
    parsed = parse_metrics(metrics)
    task = Judged(data=data)
    found = search_bm25(
        task.queries, task.documents, depth=CANDIDATES, skipped=task.own_documents
    ).positions
    found = np.sort(np.where(found < 0, len(task.documents), found), axis=1)  # [Q, 50] by position
    rows, columns = np.nonzero(found < len(task.documents))
    places = found[rows, columns].tolist()
    pairs = [(task.queries[q], task.documents[d]) for q, d in zip(rows, places, strict=True)]
    scores = np.full(found.shape, -np.inf)
    if pairs:
        scores[rows, columns] = checked_scores(predict, pairs).round(DECIMALS)
    depth = max(SHOWN, *(k for _, k in parsed.values()))
    ranking = best_first(scores, found, depth=depth)
    result = score_ranking(ranking, task, metrics=metrics, resamples=resamples, seed=seed)
    hits = (task.grades(best_first(scores, found, depth=CANDIDATES)) > 0).sum(axis=1)
    recall = float((hits / (task.all_grades() > 0).sum(axis=1)).mean())
    note = (
        f"a model of pairs puts in order what BM25 found, {CANDIDATES} documents a query: "
        f"{recall:.0%} of the relevant ones; the others count as not found"
    )
    result.details["candidates_recall"] = recall
    return replace(result, notes=(*result.notes, note))


def rerank_pairs(
    predict: Predict,
    data: Dataset,
    *,
    metrics: tuple[str, ...] = METRICS,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Result:
    """The same on pairs, as `evaluate_pairs` makes them a retrieval task; see `rerank_corpus`."""
    task = pairs_as_retrieval(data)
    return rerank_corpus(predict, task, metrics=metrics, resamples=resamples, seed=seed)
