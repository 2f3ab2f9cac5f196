import json

import numpy as np
import pyarrow as pa
import pytest

from likewise.data.dataset import Dataset, RetrievalSet
from likewise.evaluation.diagnosis import (
    Diagnosis,
    RetrievalError,
    SimilarityError,
    diagnose,
)
from likewise.evaluation.pair_classification import evaluate_pair_classification
from likewise.evaluation.pairs import evaluate_pairs
from likewise.evaluation.reranking import rerank_pairs
from likewise.evaluation.result import Result
from likewise.evaluation.retrieval import evaluate_retrieval
from likewise.evaluation.similarity import evaluate_similarity, predict_similarity

N = 12


def dataset(kind, columns, score_range=None):
    n = len(next(iter(columns.values())))
    return Dataset(
        kind=kind,
        table=pa.table(columns),
        sources=("made.csv",),
        source=np.zeros(n, np.int32),
        row=np.arange(1, n + 1),
        columns={name: name for name in columns},
        score_range=score_range,
    )


def embed_by(vectors):
    """A model that knows each text's vector by heart."""

    def embed(texts, *, role=None):
        return np.array([vectors[text] for text in texts], dtype=np.float32)

    return embed


def angle(degrees):
    return [np.cos(np.radians(degrees)), np.sin(np.radians(degrees))]


@pytest.fixture
def scored():
    """Pairs whose gold score falls from 5 to 0, and a model that only errs on the first."""
    gold = np.linspace(5, 0, N)
    data = dataset(
        "scored",
        {
            "sentence1": [f"left {i}" for i in range(N)],
            "sentence2": [f"right {i}" for i in range(N)],
            "score": gold,
        },
        score_range=(0.0, 5.0),
    )
    left = {f"left {i}": angle(0) for i in range(N)}
    right = left | {f"right {i}": angle(7 * i) for i in range(N)}
    wrong = right | {"right 0": angle(85)}
    return data, right, wrong


def test_scored_pairs_are_grouped_by_gold_score(scored):
    data, right, wrong = scored
    before, after = (evaluate_similarity(embed_by(v), data) for v in (right, wrong))
    found = diagnose(before, after, data)
    assert list(found.before) == [f"score {i} to {i + 1}" for i in range(5)]
    assert sum(map(len, found.after.values())) == N
    top = found.before["score 4 to 5"]
    assert top == [round(float(np.cos(np.radians(7 * i))), 4) for i in range(3)]
    assert found.after["score 4 to 5"][0] == round(float(np.cos(np.radians(85))), 4)


def test_the_pair_that_is_furthest_from_its_place_comes_first(scored):
    data, right, wrong = scored
    before, after = (evaluate_similarity(embed_by(v), data) for v in (right, wrong))
    worst = diagnose(before, after, data).errors[0]
    assert isinstance(worst, SimilarityError)
    assert (worst.left, worst.right, worst.gold) == ("left 0", "right 0", 5.0)
    assert worst.cosine == pytest.approx(np.cos(np.radians(85)), abs=1e-6)
    assert worst.cosine_before == pytest.approx(1.0)
    assert worst.gold_share == pytest.approx((N - 0.5) / N)  # no pair is scored higher
    assert worst.cosine_share == pytest.approx(0.5 / N)  # every pair is held more similar


@pytest.fixture
def retrieval():
    """Query i is answered by document i; the second model sends query 1 to document 3."""
    data = RetrievalSet(
        name="made",
        split="test",
        query_ids=("q0", "q1", "q2"),
        queries=("ask 0", "ask 1", "ask 2"),
        document_ids=("d0", "d1", "d2", "d3"),
        documents=tuple(f"say {i}" for i in range(4)),
        judgements={f"q{i}": {f"d{i}": 1} for i in range(3)},
    )
    right = {f"say {i}": angle(45 * i) for i in range(4)}
    right |= {f"ask {i}": angle(45 * i + 1) for i in range(3)}
    return data, right, right | {"ask 1": angle(134)}


def test_the_query_whose_answer_stands_lowest_comes_first_and_good_ones_not_at_all(retrieval):
    data, right, wrong = retrieval
    before, after = (evaluate_retrieval(embed_by(v), data) for v in (right, wrong))
    (error,) = diagnose(before, after, data).errors
    assert error == RetrievalError(
        query="ask 1", expected="say 1", got="say 3", rank=3, rank_before=1, depth=100
    )


def test_answers_are_held_against_documents_drawn_at_random(retrieval):
    data, right, wrong = retrieval
    before, after = (evaluate_retrieval(embed_by(v), data) for v in (right, wrong))
    found = diagnose(before, after, data)
    answers, drawn = found.before.values()
    assert answers == [round(float(np.cos(np.radians(1))), 4)] * 3
    assert len(drawn) == 3
    expected = round(float(np.cos(np.radians(134 - 45))), 4)
    assert sorted(next(iter(found.after.values()))) == sorted([answers[0], expected, answers[0]])


def test_an_answer_below_the_depth_has_no_rank():
    """Of 12 documents only 10 are looked at, and the answer is the 12th."""
    n = 12
    data = RetrievalSet(
        name="made",
        split="test",
        query_ids=("q", "r"),
        queries=("ask", "other"),
        document_ids=tuple(f"d{i:02d}" for i in range(n)),
        documents=tuple(f"say {i}" for i in range(n)),
        judgements={"q": {"d11": 2, "d10": 1, "gone": 3}, "r": {"d00": 1}},
    )
    vectors = {f"say {i}": angle(5 * i) for i in range(n)} | {"ask": angle(0), "other": angle(0)}
    before = evaluate_retrieval(embed_by(vectors), data, metrics=("ndcg@10",))
    (error,) = diagnose(before, before, data).errors
    assert (error.rank, error.rank_before, error.depth) == (None, None, 10)
    assert (error.expected, error.got) == ("say 11", "say 0")


def test_pairs_are_diagnosed_as_the_retrieval_they_are_measured_by():
    data = dataset("pairs", {"anchor": ["a", "b", "c"], "positive": ["x", "y", "z"]})
    vectors = dict(zip("abcxyz", map(angle, (0, 40, 80, 0, 80, 40)), strict=True))
    result = evaluate_pairs(embed_by(vectors), data)
    errors = diagnose(result, result, data).errors
    assert [(error.query, error.expected, error.got) for error in errors] == [
        ("b", "y", "z"),
        ("c", "z", "y"),
    ]


def test_long_lists_are_thinned_and_short_digits_kept(scored):
    data, right, _ = scored
    many = data.take(np.arange(3000) % N)
    result = evaluate_similarity(embed_by(right), many, resamples=5)
    found = diagnose(result, result, many)
    assert max(map(len, found.after.values())) < 2000
    big = dataset(
        "scored",
        {"sentence1": ["left 0"] * 5000, "sentence2": ["right 0", "right 1"] * 2500}
        | {"score": [5.0, 4.9] * 2500},
        score_range=(0.0, 5.0),
    )
    result = evaluate_similarity(embed_by(right), big, resamples=5)
    (kept,) = diagnose(result, result, big).after.values()
    assert len(kept) == 2000
    assert set(kept) == {1.0, round(float(np.cos(np.radians(7))), 4)}


def test_results_of_other_data_are_refused(scored):
    data, right, _ = scored
    result = evaluate_similarity(embed_by(right), data, resamples=5)
    other = evaluate_similarity(embed_by(right), data, resamples=5, seed=1)
    with pytest.raises(ValueError, match="not of the same data and seed"):
        diagnose(result, other, data)


def test_a_result_without_details_gives_a_note(scored):
    bare = Result(task="made", evaluator="own", primary="m", scores={}, draws={}, n=1, details={})
    found = diagnose(bare, bare, scored[0])
    assert (found.before, found.after, found.errors) == ({}, {}, ())
    assert found.notes == ('the evaluator "own" keeps no details to draw',)


def test_json_and_back_is_the_same(scored, retrieval):
    for make, (data, right, wrong) in (
        (evaluate_similarity, scored),
        (evaluate_retrieval, retrieval),
    ):
        before, after = (make(embed_by(v), data, resamples=5) for v in (right, wrong))
        found = diagnose(before, after, data)
        assert found.errors
        assert Diagnosis.from_json(json.loads(json.dumps(found.to_json()))) == found


@pytest.mark.parametrize(
    "damaged",
    [{}, [], {"schema": "another/1"}, {"schema": "likewise.diagnosis/1"}],
    ids=["empty", "list", "schema", "parts"],
)
def test_something_else_is_no_diagnosis(damaged):
    with pytest.raises(ValueError, match="diagnosis"):
        Diagnosis.from_json(damaged)


def test_the_groups_before_and_after_are_the_same():
    with pytest.raises(ValueError, match="groups differ"):
        Diagnosis(task="made", before={"a": [0.1]}, after={"b": [0.1]})


def test_labelled_pairs_are_grouped_by_their_label():
    texts = [f"text {i}" for i in range(N)]
    labels = [0, 1] * (N // 2)
    data = dataset("pair-labels", {"sentence1": texts, "sentence2": texts[::-1], "label": labels})
    embed = embed_by({text: angle(7 * i) for i, text in enumerate(texts)})
    result = evaluate_pair_classification(embed, data, resamples=100)
    found = diagnose(result, result, data)
    assert {name: len(cosines) for name, cosines in found.after.items()} == {
        "different (0)": 6,
        "same (1)": 6,
    }


def test_an_encoder_and_a_cross_encoder_share_what_both_keep(scored):
    data, embed = scored[0], embed_by(scored[1])
    before = evaluate_similarity(embed, data, resamples=100)
    after = predict_similarity(lambda pairs: np.arange(len(pairs)), data, resamples=100)
    assert "keeps no details to draw" in diagnose(before, after, data).notes[0]
    texts = [f"word{i} other" for i in range(N)]
    answers = [f"word{i} answer" for i in range(N)]
    pairs = dataset("pairs", {"anchor": texts, "positive": answers})
    vectors = {text: angle(7 * i) for i, text in enumerate([*texts, *answers])}
    found = diagnose(
        evaluate_pairs(embed_by(vectors), pairs, resamples=100),
        rerank_pairs(lambda given: np.arange(len(given)), pairs, resamples=100),
        pairs,
    )
    assert found.after == found.before == {}
    assert found.errors == ()
