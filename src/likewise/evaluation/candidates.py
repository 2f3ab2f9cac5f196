"""Reranking: are the documents that answer a query put before those that do not?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from likewise.data.dataset import Dataset
from likewise.errors import InputError
from likewise.evaluation.baselines import tfidf_vectors
from likewise.evaluation.measures import items_of, score_items
from likewise.evaluation.metrics import average_precision, mrr_at_k, ndcg_at_k, precision_at_k
from likewise.evaluation.predictions import Predict, checked_scores
from likewise.evaluation.result import Result
from likewise.evaluation.statistics import RESAMPLES
from likewise.evaluation.tasks import task_name
from likewise.mining.neighbours import DECIMALS, best_first
from likewise.mining.vectors import Embed, checked_vectors, unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Queries with the documents that each is to put in order, in an order of their own.

    Attributes:
        queries: [Q] texts, sorted.
        documents: [N] distinct texts, sorted.
        places: [Q, C] of the documents of each query, ascending; N behind them.
        grades: [Q, C] of them; a grade over 0 answers.
        notes: what was left out, for the user to see.
    """

    queries: list[str]
    documents: list[str]
    places: NDArray[np.int64]
    grades: NDArray[np.float64]
    notes: tuple[str, ...]

    @property
    def cells(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows and columns of the m cells that hold a document."""
        rows, columns = np.nonzero(self.places < len(self.documents))
        return rows, columns

    def pairs(self) -> list[tuple[str, str]]:
        """[m] query and document of each cell."""
        rows, columns = self.cells
        found = self.places[rows, columns].tolist()
        return [(self.queries[q], self.documents[d]) for q, d in zip(rows, found, strict=True)]


def evaluate_candidates(
    embed: Embed, data: Dataset, *, resamples: int = RESAMPLES, seed: int = 0
) -> Result:
    """Rank the documents of each query by cosine, and hold the order to the labels.

    Queries of which every document answers, or none, say nothing and are left out. Equal cosines
    are ranked by the text, which knows nothing of the labels.

    Args:
        embed: called once with the queries and once with the documents.
        data: of kind "reranking"; or pairs with negatives, each row its own query.
        resamples: bootstrap draws of queries behind the 95 % intervals.
        seed: of those draws.

    Returns:
        "map", which leads: precision at the rank of each answer, averaged over the answers of a
        query and then over queries; "mrr@10"; "ndcg@10", by grade; "precision@1". Details hold
        `values` (metric to one a query) and `chance`, the share of documents that answer.

    Raises:
        InputError: no query has both documents that answer and documents that do not.
        LikewiseError: the vectors are not finite.
    """
    task = candidates_of(data)
    queries = unit(checked_vectors(embed, task.queries, role="query"))
    documents = unit(checked_vectors(embed, task.documents, role="document"))
    rows, columns = task.cells
    cosines = np.einsum("md,md->m", queries[rows], documents[task.places[rows, columns]])
    return score_candidates(cosines, task, data, resamples=resamples, seed=seed)


def predict_candidates(
    predict: Predict, data: Dataset, *, resamples: int = RESAMPLES, seed: int = 0
) -> Result:
    """The same for a model that scores pairs.

    Args:
        predict: (query, document) pairs to [n]; called once.
        data: as for `evaluate_candidates`.
        resamples: likewise.
        seed: likewise.

    Raises:
        InputError: as there, or the model answers several numbers a pair.
        LikewiseError: the scores are not finite.
    """
    task = candidates_of(data)
    scores = checked_scores(predict, task.pairs())
    return score_candidates(scores, task, data, resamples=resamples, seed=seed)


def candidates_of(data: Dataset) -> Candidates:
    """The queries that have something to put in order, with their documents.

    Equal texts are one query, and one document of a query, with the highest of their grades.

    Args:
        data: of kind "reranking"; or pairs with negatives.

    Raises:
        InputError: there is no such query.
    """
    graded: dict[str, dict[str, int]] = {}
    for query, document, grade in _triples(data):
        own = graded.setdefault(query, {})
        own[document] = max(own.get(document, 0), grade)
    kept = {q: d for q, d in sorted(graded.items()) if 0 < sum(g > 0 for g in d.values()) < len(d)}
    if not kept:
        problem = f"none of {len(graded)} queries has both answers and other documents"
        mend = "give each query some documents that answer it and some that do not"
        raise InputError(problem, mend=mend, where=data.file)
    documents = sorted({document for own in kept.values() for document in own})
    place = {document: i for i, document in enumerate(documents)}
    shape = len(kept), max(map(len, kept.values()))
    places, grades = np.full(shape, len(documents)), np.zeros(shape)
    for row, own in enumerate(kept.values()):
        ordered = sorted(own)
        places[row, : len(own)] = [place[document] for document in ordered]
        grades[row, : len(own)] = [own[document] for document in ordered]
    left_out = len(graded) - len(kept)
    note = f"{left_out:,} of {len(graded):,} queries were left out: all documents answer, or none"
    return Candidates(
        queries=list(kept),
        documents=documents,
        places=places,
        grades=grades,
        notes=(note,) if left_out else (),
    )


def score_candidates(
    given: NDArray[np.float64],
    task: Candidates,
    data: Dataset,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Result:
    """Any scores [m] given to `task.pairs()`, as `evaluate_candidates` measures them."""
    rows, columns = task.cells
    table = np.full(task.places.shape, -np.inf)
    table[rows, columns] = given.round(DECIMALS)
    width = task.places.shape[1]
    ranked = best_first(table, np.arange(width), depth=width).positions
    grades = np.where(ranked >= 0, np.take_along_axis(task.grades, ranked.clip(min=0), axis=1), 0.0)
    values = {
        "map": average_precision(grades, task.grades),
        "mrr@10": mrr_at_k(grades, 10),
        "ndcg@10": ndcg_at_k(grades, task.grades, 10),
        "precision@1": precision_at_k(grades, 1),
    }
    n = len(task.queries)
    items = {name: items_of("mean", value) for name, value in values.items()}
    scores, draws = score_items(items, resamples=resamples, seed=seed)
    return Result(
        task=task_name(data),
        evaluator="reranking",
        primary="map",
        scores=scores,
        draws=draws,
        items=items,
        n=n,
        data=data.fingerprint,
        seed=seed,
        notes=task.notes,
        details={"values": values, "chance": float((task.grades[rows, columns] > 0).mean())},
    )


def evaluate_tfidf_candidates(
    data: Dataset, *, resamples: int = RESAMPLES, seed: int = 0
) -> Result:
    """The same by cosines of TF-IDF vectors, without a model.

    Args:
        data: as for `evaluate_candidates`.
        resamples: the same as the model's, for paired differences.
        seed: the same as the model's.
    """
    task = candidates_of(data)
    vectors = tfidf_vectors([*task.queries, *task.documents])
    rows, columns = task.cells
    left = vectors[rows]
    right = vectors[len(task.queries) + task.places[rows, columns]]
    cosines = np.asarray(left.multiply(right).sum(axis=1), dtype=np.float64).ravel()
    result = score_candidates(cosines, task, data, resamples=resamples, seed=seed)
    return replace(result, model="TF-IDF")


def _triples(data: Dataset) -> Sequence[tuple[str, str, int]]:
    if data.kind == "reranking":
        grades = data.numbers("label").astype(np.int64).tolist()
        return list(zip(data.texts("query"), data.texts("document"), grades, strict=True))
    if "negative" not in data.roles:
        mend = "give rows with negatives too, or leave the evaluator out: pairs are then retrieval"
        raise InputError(
            "pairs without negatives have nothing to rerank", mend=mend, where=data.file
        )
    sides = [(1, data.text_lists("positive")), (0, data.text_lists("negative"))]
    return [
        (query, text, grade)
        for grade, lists in sides
        for query, texts in zip(data.texts("anchor"), lists, strict=True)
        for text in texts
    ]
