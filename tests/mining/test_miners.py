"""Hard negatives of a corpus: who finds which, and what is kept of it."""

import copy
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from conftest import TOPICS, answer, question
from likewise.mining.lexical import search_bm25
from likewise.mining.miners import Miner, draw_negatives, mine_negatives
from likewise.mining.queries import Query
from likewise.models.encoder import Encoder

N = 20
PASSAGES = [answer(*topic) for topic in TOPICS[:N]]
QUERIES = [
    Query(text=question(*topic), passage=i, source="given") for i, topic in enumerate(TOPICS[:N])
]


@pytest.fixture
def base(tiny_encoder: Encoder) -> Miner:
    return Miner(name="base", encoder=tiny_encoder)


def mined(miner: Miner, path: Path, **options) -> np.ndarray:
    usual = {"queries": QUERIES, "passages": PASSAGES, "depth": 5, "precision": "float32"}
    return mine_negatives(miner, path=path, **(usual | options))


def test_a_model_finds_the_nearest_by_cosine_without_the_answer(base: Miner, tmp_path: Path):
    found = mined(base, tmp_path / "n.npy")
    asked, documents = (
        base.encoder.encode(texts, normalize=True, precision="float32").astype(np.float64)
        for texts in ([query.text for query in QUERIES], PASSAGES)
    )
    cosines = asked @ documents.T
    cosines[np.arange(N), np.arange(N)] = -2
    np.testing.assert_array_equal(found, np.argsort(-cosines, axis=1, kind="stable")[:, :5])


def test_bm25_finds_what_it_ranks_first_without_the_answer(tmp_path: Path):
    found = mined(Miner(name="bm25"), tmp_path / "n.npy")
    ranked = search_bm25([query.text for query in QUERIES], PASSAGES, depth=N).positions
    for i, row in enumerate(ranked.tolist()):
        expected = [place for place in row if place not in {-1, i}][:5]
        assert found[i, : len(expected)].tolist() == expected
        assert (found[i, len(expected) :] == -1).all()


def test_there_are_never_more_than_the_corpus_has(base: Miner, tmp_path: Path):
    found = mined(base, tmp_path / "n.npy", queries=QUERIES[:3], passages=PASSAGES[:3], depth=50)
    assert found.shape == (3, 50)
    for i, row in enumerate(found.tolist()):
        assert sorted(row[:2]) == sorted({0, 1, 2} - {i})
        assert set(row[2:]) == {-1}


@pytest.mark.parametrize("name", ["base", "bm25"])
def test_the_answers_of_an_equal_query_are_answers(name: str, base: Miner, tmp_path: Path):
    miner = base if name == "base" else Miner(name="bm25")
    again = [Query(text=f" {QUERIES[0].text.upper()}?", passage=i, source="given") for i in (4, 7)]
    found = mined(miner, tmp_path / "n.npy", queries=[*QUERIES, *again], depth=N)
    for row in (0, N, N + 1):
        assert not set(found[row].tolist()) & {0, 4, 7}
    assert (found[0] == found[N]).all()
    assert {4, 7} <= set(found[1].tolist()) | ({4, 7} if name == "bm25" else set())


def test_what_equals_the_answer_as_it_is_shown_is_no_negative(base: Miner, tmp_path: Path):
    body = PASSAGES[3]
    passages = [f"Some title {body.upper()}!", *PASSAGES]
    cut = Query(text="Some title", passage=0, source="title", end=len("Some title"))
    whole = Query(text="Some title", passage=0, source="given")
    found = [
        set(mined(base, tmp_path / name, queries=[query], passages=passages, depth=N)[0].tolist())
        for name, query in (("cut.npy", cut), ("whole.npy", whole))
    ]
    assert found[1] - found[0] == {4}


def test_prompts_are_those_of_a_search(base: Miner, tmp_path: Path):
    plain = mined(base, tmp_path / "plain.npy")
    base.encoder.contents.prompts.update(query="the river ", document="garden violin ")
    found = mined(base, tmp_path / "n.npy")
    asked = base.encoder.encode([q.text for q in QUERIES], prompt="query", precision="float32")
    documents = base.encoder.encode(PASSAGES, prompt="document", precision="float32")
    asked, documents = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (asked, documents))
    cosines = asked @ documents.T
    cosines[np.arange(N), np.arange(N)] = -2
    assert (found[:, 0] == cosines.argmax(axis=1)).all()
    assert (found != plain).any()


def test_what_was_found_is_read_back_and_nothing_else_is_left(base: Miner, tmp_path: Path):
    path = tmp_path / "n.npy"
    found = mined(base, path)
    assert sorted(file.name for file in tmp_path.iterdir() if file.is_file()) == ["n.json", "n.npy"]
    np.save(path, found[::-1])  # what is read back is what is there
    np.testing.assert_array_equal(mined(base, path), found[::-1])


@pytest.mark.parametrize("changed", ["weights", "passages", "queries", "depth", "prompts", "miner"])
def test_another_question_is_answered_anew(changed: str, base: Miner, tmp_path: Path):
    path, options, miner = tmp_path / "n.npy", {}, base
    mined(base, path)
    if changed == "weights":
        next(base.encoder.module.parameters()).data.add_(0.1)
    elif changed == "passages":
        options = {"passages": PASSAGES[::-1]}
    elif changed == "queries":
        options = {"queries": [*QUERIES[1:], QUERIES[0]]}
    elif changed == "depth":
        options = {"depth": 4}
    elif changed == "prompts":
        base.encoder.contents.prompts.update(query="the river ")
    else:
        miner = Miner(name="bm25")
    again = mined(miner, path, **options)
    np.testing.assert_array_equal(again, mined(miner, tmp_path / "fresh" / "n.npy", **options))


def test_vectors_that_were_finished_are_not_computed_again(base: Miner, tmp_path: Path):
    path, stopping = tmp_path / "n.npy", copy.copy(base.encoder)

    def encode(texts: list[str], **options) -> np.ndarray:
        if PASSAGES[0] in texts:
            raise KeyboardInterrupt
        return base.encoder.encode(texts, **options)

    stopping.encode = encode  # stops where the queries are done and the passages begin
    with pytest.raises(KeyboardInterrupt):
        mined(Miner(name="base", encoder=stopping), path)
    queries = tmp_path / "n-query.npy"
    np.save(queries, np.load(queries)[::-1])  # what is read back is what is there
    turned = [Query(text=q.text, passage=-1, source="given") for q in QUERIES]
    found = mined(base, path, depth=N)
    whole = mined(base, tmp_path / "fresh" / "n.npy", queries=turned, depth=N)[::-1]
    for i, row in enumerate(found):
        assert row[:-1].tolist() == [place for place in whole[i].tolist() if place != i]


def test_every_negative_found_is_drawn_as_often_as_the_others():
    found = np.tile(np.array([[4, 2, -1]], dtype=np.int32), (9000, 1))
    other = np.tile(np.array([[-1, 9, 2]], dtype=np.int32), (9000, 1))
    drawn = Counter(draw_negatives([found, other], np.random.default_rng(1)).ravel().tolist())
    assert set(drawn) == {4, 2, 9}
    # two of four places hold a 2: 4500 draws; the others 2250, both within 5 standard deviations
    assert abs(drawn[2] - 4500) < 5 * 48
    assert abs(drawn[4] - 2250) < 5 * 41


def test_several_draws_of_a_query_are_of_different_passages():
    found = np.tile(np.array([[4, 2, -1]], dtype=np.int32), (500, 1))
    other = np.tile(np.array([[-1, 9, 2]], dtype=np.int32), (500, 1))
    two = draw_negatives([found, other], np.random.default_rng(1), count=2)
    assert two.shape == (500, 2)
    assert (two >= 0).all()
    assert (two[:, 0] != two[:, 1]).all()
    assert {tuple(sorted(row)) for row in two.tolist()} == {(2, 4), (2, 9), (4, 9)}
    every = draw_negatives([found, other], np.random.default_rng(1), count=5)
    assert {tuple(sorted(row)) for row in every.tolist()} == {(-1, -1, 2, 4, 9)}
    assert (every[:, 3:] == -1).all()
    assert draw_negatives([found[:, :2]], np.random.default_rng(1), count=9).shape == (500, 9)


def test_where_nothing_was_found_nothing_is_drawn():
    found = np.array([[-1, -1], [-1, 3]], dtype=np.int32)
    assert draw_negatives([found], np.random.default_rng(0)).tolist() == [[-1], [3]]
    assert draw_negatives([found[:0]], np.random.default_rng(0)).tolist() == []


def test_draws_follow_the_generator():
    found = np.arange(1000, dtype=np.int32).reshape(20, 50)
    first, same, other = (draw_negatives([found], np.random.default_rng(s)) for s in (1, 1, 2))
    assert (first == same).all()
    assert (first != other).any()
    assert all(place in row for (place,), row in zip(first, found, strict=True))
