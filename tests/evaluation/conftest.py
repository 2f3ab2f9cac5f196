"""Data of each kind that can be evaluated, with vectors that answer it perfectly."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

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
    may be off for the score to fall well between chance and perfection. `heeds_length` is true
    where not only the direction of a vector counts.
    """

    data: Dataset | RetrievalSet
    reordered: Dataset | RetrievalSet
    shuffled: Dataset | RetrievalSet
    perfect: Callable[..., np.ndarray]
    noise: float
    chance: float
    slack: float
    heeds_length: bool = False


def table(**columns: Sequence) -> Dataset:
    """A data set in memory; a column an argument, and `kind=`."""
    kind = columns.pop("kind")
    n = len(next(iter(columns.values())))
    types = {"score": pa.float64(), "scores": pa.large_list(pa.float64())}
    arrays = {
        role: pa.array(
            values, type=types.get(role, pa.large_string() if isinstance(values[0], str) else None)
        )
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


def retrieval_case(*, by_words: bool = False) -> Case:
    """With `by_words`, BM25 finds every document, and its own query first."""
    rng = np.random.default_rng(2)
    order, derangement = rng.permutation(N), np.roll(np.arange(N), 1)
    queries, documents = [f"query {i}" for i in range(N)], [f"document {i}" for i in range(N)]
    if by_words:
        queries = [f"query {i:03d}" for i in range(N)]
        documents = [f"document {i:03d} for a query" for i in range(N)]
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
    anchors = [f"question on {i:03d}" for i in range(N)]
    positives = [f"answer on {i:03d}, this question" for i in range(N)]
    topic = {text: i for texts in (anchors, positives) for i, text in enumerate(texts)}
    return pairs_of_kind("pairs", {}, anchors, positives, topic, rng.permutation(N))


def distilled_case() -> Case:
    rng = np.random.default_rng(4)
    anchors = [f"question on {i:03d}" for i in range(N)]
    positives = [f"answer on {i:03d}, this question" for i in range(N)]
    topic = {text: i for texts in (anchors, positives) for i, text in enumerate(texts)}
    more = {"negative": np.roll(positives, 5).tolist(), "scores": [[1.0, 0.0]] * N}
    return pairs_of_kind("distilled", more, anchors, positives, topic, rng.permutation(N))


def pairs_of_kind(
    kind: str,
    more: dict[str, Sequence],
    anchors: list[str],
    positives: list[str],
    topic: dict[str, int],
    order: np.ndarray,
) -> Case:
    data = table(kind=kind, anchor=anchors, positive=positives, **more)
    rolled = np.roll(positives, 1).tolist()
    return Case(
        data=data,
        reordered=data.take(order),
        shuffled=table(kind=kind, anchor=anchors, positive=rolled, **more),
        perfect=one_hot(topic),
        noise=2.5,
        chance=CHANCE_NDCG_10,
        slack=0.05,
    )


def pair_labels_case() -> Case:
    rng = np.random.default_rng(5)
    label = (rng.permutation(N) < N // 3).astype(int)  # a third is the same
    left, right = [f"left {i}" for i in range(N)], [f"right {i}" for i in range(N)]
    topic = {text: i for i, text in enumerate(left)}
    topic |= {
        text: i if same else (i + 1) % N
        for i, (text, same) in enumerate(zip(right, label, strict=True))
    }
    data = table(kind="pair-labels", sentence1=left, sentence2=right, label=label)
    other = rng.permutation(label)
    return Case(
        data=data,
        reordered=data.take(rng.permutation(N)),
        shuffled=table(kind="pair-labels", sentence1=left, sentence2=right, label=other),
        perfect=one_hot(topic),
        noise=2.0,
        chance=1 / 3,
        slack=3 * np.sqrt(2 / 9 / (N / 3)),  # the share of the same among a third of the pairs
    )


def reranking_case() -> Case:
    """Of each query one document of four answers."""
    rng = np.random.default_rng(8)
    queries = np.repeat([f"question on {i:03d}" for i in range(N)], 4).tolist()
    topics = [(i + shift) % N for i in range(N) for shift in (0, 5, 9, 20)]
    documents = [f"answer on {topic:03d}, this question" for topic in topics]
    label = [int(shift == 0) for _ in range(N) for shift in range(4)]
    topic = {text: i for i, text in enumerate(dict.fromkeys(queries))}
    topic |= {f"answer on {i:03d}, this question": i for i in range(N)}
    data = table(kind="reranking", query=queries, document=documents, label=label)
    other = np.concatenate([rng.permutation(4) == 0 for _ in range(N)]).astype(int)
    return Case(
        data=data,
        reordered=data.take(rng.permutation(4 * N)),
        shuffled=table(kind="reranking", query=queries, document=documents, label=other),
        perfect=one_hot(topic),
        noise=2.0,
        chance=(1 + 1 / 2 + 1 / 3 + 1 / 4) / 4,
        slack=0.09,
    )


def reranked_pairs_case() -> Case:
    """The same in one row a query: an answer and three other documents."""
    case = reranking_case()
    rows = [case.data.texts(role)[i::4] for role in ("query", "document") for i in range(4)]
    queries, answers, *others = rows[0], *rows[4:]
    negatives = [list(texts) for texts in zip(*others, strict=True)]
    data = table(kind="pairs", anchor=queries, positive=answers, negative=negatives)
    rng = np.random.default_rng(9)
    mixed = [rng.permutation([a, *n]).tolist() for a, n in zip(answers, negatives, strict=True)]
    shuffled = {"positive": [row[0] for row in mixed], "negative": [row[1:] for row in mixed]}
    return replace(
        case,
        data=data,
        reordered=data.take(rng.permutation(N)),
        shuffled=table(kind="pairs", anchor=queries, **shuffled),
    )


def labelled_case() -> Case:
    rng = np.random.default_rng(6)
    classes = rng.permutation(N) % 6  # of twenty texts
    texts = [f"text {i}" for i in range(N)]
    data = table(kind="labelled", text=texts, label=[f"class {c}" for c in classes])
    other = [f"class {c}" for c in rng.permutation(classes)]
    return Case(
        data=data,
        reordered=data.take(rng.permutation(N)),
        shuffled=table(kind="labelled", text=texts, label=other),
        perfect=one_hot({text: int(c) for text, c in zip(texts, classes, strict=True)}),
        noise=2.5,
        chance=19 / (N - 1),
        slack=0.05,
    )


def clustering_case() -> Case:
    """Clusters that say nothing still share (k - 1)² / 2n nats with k labels (Miller 1955)."""
    chance = (6 - 1) ** 2 / (2 * N) / np.log(6)
    return replace(labelled_case(), noise=1.2, chance=chance, slack=0.06)


def classification_case() -> Case:
    """Two classes: then average precision is measured too."""
    rng = np.random.default_rng(8)
    classes = rng.permutation(N) % 2
    texts = [f"text {i}" for i in range(N)]
    topics = rng.permutation(N) % 8  # of each class, four
    topics = 2 * (topics // 2) + classes
    data = table(kind="labelled", text=texts, label=[f"class {c}" for c in classes])
    other = [f"class {c}" for c in rng.permutation(classes)]
    return Case(
        data=data,
        reordered=data.take(rng.permutation(N)),
        shuffled=table(kind="labelled", text=texts, label=other),
        perfect=one_hot(dict(zip(texts, topics.tolist(), strict=True))),
        noise=3.0,
        chance=1 / 2,
        slack=3 / np.sqrt(4 * N),  # of a share of N right by chance
        heeds_length=True,
    )


def triplets_case() -> Case:
    rng = np.random.default_rng(9)
    anchors = [f"question on {i:03d}" for i in range(N)]
    positives = [f"answer on {i:03d}, this question" for i in range(N)]
    topic = {text: i for texts in (anchors, positives) for i, text in enumerate(texts)}
    negatives = np.roll(positives, 7).tolist()
    swapped = rng.permutation(N) < N // 2
    data = table(kind="pairs", anchor=anchors, positive=positives, negative=negatives)
    return Case(
        data=data,
        reordered=data.take(rng.permutation(N)),
        shuffled=table(
            kind="pairs",
            anchor=anchors,
            positive=np.where(swapped, negatives, positives).tolist(),
            negative=np.where(swapped, positives, negatives).tolist(),
        ),
        perfect=one_hot(topic),
        noise=2.0,
        chance=1 / 2,
        slack=3 / np.sqrt(4 * N),
    )


def bitext_case() -> Case:
    return replace(pairs_case(), noise=2.0, chance=1 / N, slack=3 / N)


# by kind of data, or by evaluator (and kind) where a kind has several
CASES = {
    "clustering": clustering_case,
    "reranking:pairs": reranked_pairs_case,
    "reranking": reranking_case,
    "classification": classification_case,
    "triplets": triplets_case,
    "bitext": bitext_case,
    "scored": scored_case,
    "retrieval": retrieval_case,
    "pairs": pairs_case,
    "distilled": distilled_case,
    "pair-labels": pair_labels_case,
    "labelled": labelled_case,
}


@dataclass(frozen=True, kw_only=True)
class PairCase:
    """What an evaluator of models of pairs is tried on; as `Case`, with models that predict."""

    data: Dataset | RetrievalSet
    reordered: Dataset | RetrievalSet
    shuffled: Dataset | RetrievalSet
    perfect: Callable[..., np.ndarray]
    noisy: Callable[..., np.ndarray]
    random: Callable[..., np.ndarray]
    chance: float
    slack: float


def cosine_of(embed: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """A model of pairs that says the cosine of another model's vectors."""

    def predict(pairs: list[tuple[str, str]]) -> np.ndarray:
        left, right = (embed([pair[side] for pair in pairs]).astype(float) for side in (0, 1))
        norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
        return ((left * right).sum(axis=1) / norms).astype(np.float32)

    return predict


def pairwise(make: Callable[[], Case]) -> Callable[[], PairCase]:
    def made() -> PairCase:
        case = make()
        return PairCase(
            data=case.data,
            reordered=case.reordered,
            shuffled=case.shuffled,
            perfect=cosine_of(case.perfect),
            noisy=cosine_of(noisy(case)),
            random=cosine_of(random_vectors()),
            chance=case.chance,
            slack=case.slack,
        )

    return made


def nli_case() -> PairCase:
    rng = np.random.default_rng(7)
    label = rng.permutation(N) % 3
    premises, hypotheses = [f"premise {i}" for i in range(N)], [f"hypothesis {i}" for i in range(N)]
    gold = dict(zip(zip(premises, hypotheses, strict=True), label, strict=True))

    def logits(signal: float, noise: float) -> Callable[..., np.ndarray]:
        def predict(pairs: list[tuple[str, str]]) -> np.ndarray:
            right = np.eye(3)[[gold[tuple(pair)] for pair in pairs]]
            off = random_vectors(3)([" ".join(pair) for pair in pairs])
            return (signal * right + noise * off).astype(np.float32)

        return predict

    data = table(kind="nli", premise=premises, hypothesis=hypotheses, label=label)
    other = rng.permutation(label)
    return PairCase(
        data=data,
        reordered=data.take(rng.permutation(N)),
        shuffled=table(kind="nli", premise=premises, hypothesis=hypotheses, label=other),
        perfect=logits(1, 0),
        noisy=logits(1, 1),
        random=logits(0, 1),
        chance=1 / 3,
        slack=3 * np.sqrt(2 / 9 / N),  # of a share of N right by chance
    )


PAIR_CASES = {
    "triplets": pairwise(triplets_case),
    "scored": pairwise(scored_case),
    "retrieval": pairwise(partial(retrieval_case, by_words=True)),
    "pairs": pairwise(pairs_case),
    "distilled": pairwise(distilled_case),
    "pair-labels": pairwise(pair_labels_case),
    "reranking:pairs": pairwise(reranked_pairs_case),
    "reranking": pairwise(reranking_case),
    "nli": nli_case,
}


@pytest.fixture
def scored_set() -> Dataset:
    return scored_case().data


@pytest.fixture
def retrieval_set() -> RetrievalSet:
    return retrieval_case().data
