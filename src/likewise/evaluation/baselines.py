"""What a model has to beat: word overlap, which needs no model at all."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likewise.data.dataset import Dataset, RetrievalSet
from likewise.evaluation.judged import Judged
from likewise.evaluation.nearest import draw_sample, score_neighbours
from likewise.evaluation.pair_classification import score_labelled
from likewise.evaluation.pairs import pairs_as_retrieval
from likewise.evaluation.result import Result
from likewise.evaluation.retrieval import METRICS, SHOWN, parse_metrics, score_ranking
from likewise.evaluation.similarity import score_cosines
from likewise.evaluation.statistics import RESAMPLES
from likewise.mining.lexical import search_bm25
from likewise.mining.neighbours import DECIMALS, Ranking, best_first

WORD = r"\w+"
CELLS = 2**22  # cosines held at once, 32 MB


def evaluate_bm25(
    data: RetrievalSet,
    *,
    metrics: tuple[str, ...] = METRICS,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Result:
    """The ranking of `search_bm25`: shared words, weighed as Lucene weighs them.

    Args:
        data: queries, corpus and judgements.
        metrics: as in `evaluate_retrieval`.
        resamples: the same as the model's, for paired differences.
        seed: the same as the model's.

    Returns:
        A result of the same task and metrics, for a model called "BM25".
    """
    task = Judged(data=data)
    depth = max(SHOWN, *(k for _, k in parse_metrics(metrics).values()))
    ranking = search_bm25(task.queries, task.documents, depth=depth, skipped=task.own_documents)
    result = score_ranking(ranking, task, metrics=metrics, resamples=resamples, seed=seed)
    return replace(result, model="BM25")


def evaluate_bm25_pairs(
    data: Dataset,
    *,
    metrics: tuple[str, ...] = METRICS,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Result:
    """BM25 on pairs as `evaluate_pairs` makes them a retrieval task; see `evaluate_bm25`."""
    task = pairs_as_retrieval(data)
    return evaluate_bm25(task, metrics=metrics, resamples=resamples, seed=seed)


def evaluate_tfidf(data: Dataset, *, resamples: int = RESAMPLES, seed: int = 0) -> Result:
    """Cosine of TF-IDF vectors, by scikit-learn, weights from these very texts.

    Words are runs of word characters in lower case; smoothed idf, no stop words.

    Args:
        data: of kind "scored".
        resamples: the same as the model's, for paired differences.
        seed: the same as the model's.

    Returns:
        A result of the same task and metrics, for a model called "TF-IDF".
    """
    result = score_cosines(_tfidf_cosines(data), data, resamples=resamples, seed=seed)
    return replace(result, model="TF-IDF")


def evaluate_tfidf_pair_labels(
    data: Dataset, *, resamples: int = RESAMPLES, seed: int = 0
) -> Result:
    """The same cosines as `evaluate_tfidf`, held to labels; data of kind "pair-labels"."""
    cosines = _tfidf_cosines(data)
    result = score_labelled(cosines, data, name="cosines", resamples=resamples, seed=seed)
    return replace(result, model="TF-IDF")


def evaluate_tfidf_neighbours(
    data: Dataset, *, resamples: int = RESAMPLES, seed: int = 0
) -> Result:
    """Neighbours by the cosine of TF-IDF vectors; data of kind "labelled"."""
    sample = draw_sample(data, seed)
    vectors = tfidf_vectors(sample.texts)

    def cosines(rows: slice) -> NDArray[np.float64]:
        return np.asarray((vectors[rows] @ vectors.T).toarray(), dtype=np.float64)

    result = score_neighbours(cosines, sample, data, resamples=resamples, seed=seed)
    return replace(result, model="TF-IDF")


def _tfidf_cosines(data: Dataset) -> NDArray[np.float64]:
    vectors = tfidf_vectors(data.texts("sentence1") + data.texts("sentence2"))
    product = vectors[: len(data)].multiply(vectors[len(data) :])  # rows have length 1
    return np.asarray(product.sum(axis=1), dtype=np.float64).ravel()


def tfidf_vectors(texts: list[str]) -> Any:
    """TF-IDF of n texts, each scaled to length 1: [n, V] sparse.

    Args:
        texts: one that has no word is all zeros.
    """
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

    if not any(re.search(WORD, text) for text in texts):
        return csr_matrix((len(texts), 1))
    return TfidfVectorizer(token_pattern=WORD).fit_transform(texts)


def search_tfidf(queries: Any, documents: Any, *, depth: int) -> Ranking:
    """Rank all documents by cosine for every query, exactly, as `search_cosine` does.

    Args:
        queries: [Q, V] sparse, rows of length 1.
        documents: [N, V] likewise.
        depth: how many to keep.
    """
    n = documents.shape[0]
    width = max(1, CELLS // n)
    parts = [
        best_first(
            (queries[start : start + width] @ documents.T).toarray().round(DECIMALS),
            np.arange(n),
            depth=depth,
        )
        for start in range(0, queries.shape[0], width)
    ]
    return Ranking(
        positions=np.concatenate([part.positions for part in parts]),
        scores=np.concatenate([part.scores for part in parts]),
    )
