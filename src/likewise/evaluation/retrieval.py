"""Retrieval: does the nearest document answer the query?"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from likewise.data.dataset import RetrievalSet
from likewise.errors import InputError
from likewise.evaluation.judged import Judged
from likewise.evaluation.measures import items_of, score_items
from likewise.evaluation.metrics import (
    average_precision,
    mrr_at_k,
    ndcg_at_k,
    precision_at_k,
    recall_at_k,
)
from likewise.evaluation.result import Result
from likewise.evaluation.statistics import RESAMPLES
from likewise.evaluation.tasks import task_name
from likewise.mining.neighbours import Ranking, search_cosine
from likewise.mining.vectors import Embed, checked_vectors, unit

METRICS = ("ndcg@10", "recall@10", "mrr@10", "map@100", "recall@100", "precision@1")
SHOWN = 10  # documents of each query kept for a report
PAIRS = 10_000  # relevant pairs whose cosines are kept for a report


def evaluate_retrieval(
    embed: Embed,
    data: RetrievalSet,
    *,
    metrics: tuple[str, ...] = METRICS,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Result:
    """Rank the whole corpus by cosine for every query, exactly, and hold it to the judgements.

    As in trec_eval, equal cosines are ranked by document id, the later one first, and unjudged
    documents count as not relevant. Queries without a relevant document are left out. A document
    that is the query itself (the same id, holds the query's text, and no judgement names it) is
    left out for that query: BEIR goes by the id alone, and where queries and documents are
    numbered apart that drops strangers.

    Args:
        embed: called once with the queries and once with the documents.
        data: queries, corpus and graded judgements.
        metrics: "ndcg@k", "recall@k", "mrr@k", "map@k" or "precision@k"; the first one leads.
        resamples: bootstrap draws of queries behind the 95 % intervals.
        seed: of those draws.

    Returns:
        Every metric, from 0 to 1, as a mean over queries. Details hold `query_ids` (in the order
        of the rest), `values` (metric to [Q]), `top_documents` (ids of the best ten of each
        query), `top_scores` [Q, 10], `first_ranks` [Q] and `first_relevant` (rank and id of the
        best relevant document; 0 and "" where it stands below the deepest k), and the cosines
        of up to 10,000 relevant pairs, `relevant_cosines`, and of the same queries with random
        documents, `other_cosines`.

    Raises:
        InputError: a metric that does not exist, or no query has a relevant document.
        LikewiseError: the vectors are not finite.
    """
    parsed = parse_metrics(metrics)
    task = Judged(data=data)
    queries = checked_vectors(embed, task.queries, role="query")
    documents = checked_vectors(embed, task.documents, role="document")
    depth = max(SHOWN, *(k for _, k in parsed.values()))
    ranking = search_cosine(queries, documents, depth=depth, skipped=task.own_documents)
    result = score_ranking(ranking, task, metrics=metrics, resamples=resamples, seed=seed)
    result.details.update(_pair_cosines(queries, documents, task, seed))
    return result


def score_ranking(
    ranking: Ranking,
    task: Judged,
    *,
    metrics: tuple[str, ...] = METRICS,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Result:
    """Any ranking of the corpus held to the judgements, as `evaluate_retrieval` does."""
    grades, judged = task.grades(ranking), task.all_grades()
    values = {
        name: _measure(metric, grades, judged, k)
        for name, (metric, k) in parse_metrics(metrics).items()
    }
    items = {name: items_of("mean", value) for name, value in values.items()}
    scores, draws = score_items(items, resamples=resamples, seed=seed)
    top = ranking.positions[:, :SHOWN].tolist()
    return Result(
        task=task_name(task.data),
        evaluator="retrieval",
        primary=metrics[0],
        scores=scores,
        draws=draws,
        items=items,
        n=len(task.query_ids),
        data=task.data.fingerprint,
        seed=seed,
        details={
            "query_ids": tuple(task.query_ids),
            "values": values,
            "top_documents": tuple(
                tuple(task.document_ids[place] for place in row if place >= 0) for row in top
            ),
            "top_scores": ranking.scores[:, :SHOWN],
            **_first_relevant(ranking, grades, task),
        },
    )


def parse_metrics(names: tuple[str, ...]) -> dict[str, tuple[str, int]]:
    """Metric names to what they measure and k.

    Raises:
        InputError: a name that is not one of ours, or a k that is not a number over 0.

    >>> parse_metrics(("ndcg@10",))
    {'ndcg@10': ('ndcg', 10)}
    """
    known = ("ndcg", "recall", "mrr", "map", "precision")
    parsed: dict[str, tuple[str, int]] = {}
    for name in names:
        metric, _, k = name.partition("@")
        if metric not in known or not k.isdecimal() or int(k) < 1:
            mend = f"write {', '.join(f'{known_name}@10' for known_name in known)} or another k"
            raise InputError(f'there is no retrieval metric "{name}"', mend=mend)
        parsed[name] = (metric, int(k))
    if not parsed:
        raise InputError("no retrieval metric is named", mend='name one, such as "ndcg@10"')
    return parsed


def _measure(
    metric: str, grades: NDArray[np.float64], judged: NDArray[np.float64], k: int
) -> NDArray[np.float64]:
    match metric:
        case "ndcg":
            return ndcg_at_k(grades, judged, k)
        case "recall":
            return recall_at_k(grades, judged, k)
        case "map":
            return average_precision(grades, judged, k)
        case "mrr":
            return mrr_at_k(grades, k)
        case _:
            return precision_at_k(grades, k)


def _first_relevant(ranking: Ranking, grades: NDArray[np.float64], task: Judged) -> dict[str, Any]:
    hits = grades > 0
    found, first = hits.any(axis=1), hits.argmax(axis=1)
    ranks = np.where(found, first + 1, 0)
    places = ranking.positions[np.arange(len(first)), first]
    return {
        "first_ranks": ranks,
        "first_relevant": tuple(
            task.document_ids[place] if rank else ""
            for place, rank in zip(places, ranks, strict=True)
        ),
    }


def _pair_cosines(
    queries: NDArray[np.float32], documents: NDArray[np.float32], task: Judged, seed: int
) -> dict[str, NDArray[np.float64]]:
    """Cosines of the relevant pairs, and of the same queries with documents drawn at random."""
    pairs = [
        (i, task.positions[document])
        for i, query in enumerate(task.query_ids)
        for document, grade in sorted(task.data.judgements[query].items())
        if grade > 0 and document in task.positions
    ]
    rng = np.random.default_rng(seed)
    kept = np.sort(rng.permutation(len(pairs))[:PAIRS])
    rows, places = np.array(pairs, dtype=np.int64).reshape(-1, 2)[kept].T
    drawn = rng.integers(0, len(documents), len(rows))
    left = unit(queries[rows])
    return {
        "relevant_cosines": np.einsum("nd,nd->n", left, unit(documents[places])),
        "other_cosines": np.einsum("nd,nd->n", left, unit(documents[drawn])),
    }
