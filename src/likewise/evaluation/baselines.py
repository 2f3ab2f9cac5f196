"""What a model has to beat: word overlap, which needs no model at all."""

import re
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from likewise.data.dataset import Dataset, RetrievalSet
from likewise.evaluation.judged import Judged
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
    cosines = _tfidf_cosines(data.texts("sentence1"), data.texts("sentence2"))
    return replace(score_cosines(cosines, data, resamples=resamples, seed=seed), model="TF-IDF")


def _tfidf_cosines(left: list[str], right: list[str]) -> NDArray[np.float64]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    if not any(re.search(WORD, text) for text in left + right):
        return np.zeros(len(left))
    vectors = TfidfVectorizer(token_pattern=WORD).fit_transform(left + right)
    product = vectors[: len(left)].multiply(vectors[len(left) :])  # sparse, rows have length 1
    return np.asarray(product.sum(axis=1), dtype=np.float64).ravel()
