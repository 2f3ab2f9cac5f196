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

WORD = r"\w+"


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
