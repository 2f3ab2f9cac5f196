"""Data of each kind that can be evaluated, with vectors that answer it perfectly."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pytest

from likewise.data.dataset import Dataset, RetrievalSet

N = 120  # rows, queries


@dataclass(frozen=True, kw_only=True)
class Case:
    """What an evaluator of one kind of data is tried on.

    `shuffled` has the same texts and gold that says nothing about them; `chance` is what the
    primary metric comes to there, give or take `slack`. `noise` is how far vectors of length 1
    may be off for the score to fall well between chance and perfection.
    """

    data: Dataset | RetrievalSet
    reordered: Dataset | RetrievalSet
    shuffled: Dataset | RetrievalSet
    perfect: Callable[..., np.ndarray]
    noise: float
    chance: float
    slack: float


def table(**columns: Sequence) -> Dataset:
    """A data set in memory; a column an argument, and `kind=`."""
    kind = columns.pop("kind")
    n = len(next(iter(columns.values())))
    arrays = {
        role: pa.array(values, type=pa.float64() if role == "score" else None)
        for role, values in columns.items()
    }
    return Dataset(
        kind=str(kind),
        table=pa.table(arrays),
        sources=(f"{kind}.csv",),
        source=np.zeros(n, dtype=np.int32),
        row=np.arange(2, n + 2),
        columns={role: role for role in columns},
    )


def random_vectors(width: int = 8) -> Callable[..., np.ndarray]:
    """An embed that knows nothing: a text's vector follows from its letters alone."""

    def embed(texts: Sequence[str], *, role: str | None = None) -> np.ndarray:
        seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()) for text in texts]
        rows = [np.random.default_rng(seed).normal(size=width) for seed in seeds]
        return np.array(rows, dtype=np.float32).reshape(len(texts), width)

    return embed


def noisy(case: Case) -> Callable[..., np.ndarray]:
    """Between perfect and random: each vector is off by `case.noise`."""

    def embed(texts: Sequence[str], *, role: str | None = None) -> np.ndarray:
        vectors = case.perfect(texts, role=role)
        off = random_vectors(vectors.shape[1])(texts)
        off *= case.noise / np.linalg.norm(off, axis=1, keepdims=True)
        return (vectors + off).astype(np.float32)

    return embed


def scored_case() -> Case:
    rng = np.random.default_rng(1)
    gold = np.round(rng.uniform(0, 5, N), 1)  # with ties
    left, right = [f"left {i}" for i in range(N)], [f"right {i}" for i in range(N)]
    angle = {text: np.arccos(g / 5) for text, g in zip(right, gold, strict=True)}

    def perfect(texts: Sequence[str], *, role: str | None = None) -> np.ndarray:
        angles = np.array([angle.get(text, 0.0) for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)

    data = table(kind="scored", sentence1=left, sentence2=right, score=gold)
    score = rng.permutation(gold)
    shuffled = table(kind="scored", sentence1=left, sentence2=right, score=score)
    # a correlation of nothing is normal with a standard deviation of 1 / sqrt(n - 1)
    slack = 3 / np.sqrt(N - 1)
    reordered = data.take(rng.permutation(N))
    return Case(
        data=data,
        reordered=reordered,
        shuffled=shuffled,
        perfect=perfect,
        noise=0.5,
        chance=0.0,
        slack=slack,
    )


def one_hot(topic: dict[str, int]) -> Callable[..., np.ndarray]:
    def perfect(texts: Sequence[str], *, role: str | None = None) -> np.ndarray:
        vectors = np.zeros((len(texts), N), dtype=np.float32)
        vectors[np.arange(len(texts)), [topic[text] for text in texts]] = 1
        return vectors

    return perfect


# one document of N in random order: the expected gain is the mean discount of the first ten ranks
CHANCE_NDCG_10 = sum(1 / np.log2(rank + 1) for rank in range(1, 11)) / N


def retrieval_case() -> Case:
    rng = np.random.default_rng(2)
    order, derangement = rng.permutation(N), np.roll(np.arange(N), 1)
    queries, documents = [f"query {i}" for i in range(N)], [f"document {i}" for i in range(N)]
    topic = {text: i for texts in (queries, documents) for i, text in enumerate(texts)}
    data = RetrievalSet(
        name="memory",
        split="test",
        query_ids=tuple(f"q{i}" for i in range(N)),
        queries=tuple(queries),
        document_ids=tuple(f"d{i}" for i in range(N)),
        documents=tuple(documents),
        judgements={f"q{i}": {f"d{i}": 1} for i in range(N)},
    )
    reordered = replace(
        data,
        query_ids=tuple(data.query_ids[i] for i in order),
        queries=tuple(data.queries[i] for i in order),
        document_ids=tuple(data.document_ids[i] for i in order[::-1]),
        documents=tuple(data.documents[i] for i in order[::-1]),
        judgements=dict(reversed(data.judgements.items())),
    )
    judgements = {f"q{i}": {f"d{derangement[i]}": 1} for i in range(N)}
    return Case(
        data=data,
        reordered=reordered,
        shuffled=replace(data, judgements=judgements),
        perfect=one_hot(topic),
        noise=2.5,
        chance=CHANCE_NDCG_10,
        slack=0.05,
    )


def pairs_case() -> Case:
    rng = np.random.default_rng(3)
    anchors, positives = [f"question {i}" for i in range(N)], [f"answer {i}" for i in range(N)]
    topic = {text: i for texts in (anchors, positives) for i, text in enumerate(texts)}
    data = table(kind="pairs", anchor=anchors, positive=positives)
    return Case(
        data=data,
        reordered=data.take(rng.permutation(N)),
        shuffled=table(kind="pairs", anchor=anchors, positive=np.roll(positives, 1).tolist()),
        perfect=one_hot(topic),
        noise=2.5,
        chance=CHANCE_NDCG_10,
        slack=0.05,
    )


CASES = {"scored": scored_case, "retrieval": retrieval_case, "pairs": pairs_case}


@pytest.fixture
def scored_set() -> Dataset:
    return scored_case().data


@pytest.fixture
def retrieval_set() -> RetrievalSet:
    return retrieval_case().data
