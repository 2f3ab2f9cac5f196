"""What a model has to beat: word overlap, which needs no model at all."""

import re
from collections.abc import Sequence
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
from likewise.mining.neighbours import Ranking, best_first

WORD = r"\w+"


def evaluate_bm25(
    data: RetrievalSet,
    *,
    metrics: tuple[str, ...] = METRICS,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Result:
    """BM25 as Lucene computes it (Robertson and Zaragoza 2009), by the package bm25s.

    Words are bm25s's own: lower case, runs of two or more word characters (so that `snake_case`
    is one word), English stop words left out, no stemming; k1 1.5, b 0.75. A document that shares
    no word with the query is not found.

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
    ranking = _rank_bm25(task, depth)
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


def _rank_bm25(task: Judged, depth: int) -> Ranking:
    import bm25s

    index = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
    index.index(_words(task.documents), show_progress=False)
    parts = []
    here = np.arange(len(task.documents))
    for words, own in zip(_words(task.queries), task.own_documents, strict=True):
        scores = np.full(len(task.documents), -np.inf)
        if words:
            scores = index.get_scores(words).astype(np.float64)
            scores[scores <= 0] = -np.inf
        if own >= 0:
            scores[own] = -np.inf
        parts.append(best_first(scores[None], here, depth=depth))
    return Ranking(
        positions=np.concatenate([part.positions for part in parts]),
        scores=np.concatenate([part.scores for part in parts]),
    )


def _words(texts: Sequence[str]) -> list[list[str]]:
    import bm25s

    words: list[list[str]] = bm25s.tokenize(
        list(texts), stopwords="english", return_ids=False, show_progress=False
    )
    return words


def _tfidf_cosines(left: list[str], right: list[str]) -> NDArray[np.float64]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    if not any(re.search(WORD, text) for text in left + right):
        return np.zeros(len(left))
    vectors = TfidfVectorizer(token_pattern=WORD).fit_transform(left + right)
    product = vectors[: len(left)].multiply(vectors[len(left) :])  # sparse, rows have length 1
    return np.asarray(product.sum(axis=1), dtype=np.float64).ravel()
