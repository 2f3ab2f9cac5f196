"""Vectors and rankings in files."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from conftest import TOPICS, answer, question
from likewise.errors import LikewiseError
from likewise.mining.kept_search import keep_ranking, keep_vectors, text_prints
from likewise.mining.lexical import Bm25, search_bm25
from likewise.mining.neighbours import search_cosine
from likewise.models import draft_file
from likewise.models.encoder import Encoder

TEXTS = [answer(*topic) for topic in TOPICS[:10]]
FLOAT = {"role": "document", "precision": "float32"}


class Stop(Exception):
    """Stands for the user's Ctrl-C."""


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft_file, "CHUNK", 4)


def test_vectors_are_those_of_the_model(tiny_encoder: Encoder, tmp_path: Path):
    kept = keep_vectors(tiny_encoder, TEXTS, tmp_path / "v.npy", **FLOAT)
    expected = tiny_encoder.encode(TEXTS, precision="float32")
    np.testing.assert_allclose(kept.values, expected, atol=1e-6)
    assert isinstance(kept.values, np.memmap)
    assert kept.cut == 0


def test_half_as_large_vectors_have_nearly_the_same_cosines(tiny_encoder: Encoder, tmp_path: Path):
    files = [tmp_path / "32.npy", tmp_path / "16.npy"]
    wide, half = (
        keep_vectors(tiny_encoder, TEXTS, file, dtype=dtype, **FLOAT).values
        for file, dtype in zip(files, ("float32", "float16"), strict=True)
    )
    assert half.dtype == np.float16
    np.testing.assert_allclose(np.linalg.norm(half.astype(float), axis=1), 1, atol=1e-3)
    found, exact = (search_cosine(v, v, depth=10).scores for v in (half, wide))
    np.testing.assert_allclose(found, exact, atol=2e-3)


def test_texts_over_the_limit_are_counted_and_remembered(tiny_encoder: Encoder, tmp_path: Path):
    texts = [*TEXTS, "paint " * 90]
    for _ in range(2):
        assert keep_vectors(tiny_encoder, texts, tmp_path / "v.npy", **FLOAT).cut == 1


@pytest.mark.parametrize("changed", ["nothing", "weights", "prompts", "texts", "dtype"])
def test_vectors_are_read_back_only_for_the_same_weights_prompts_and_texts(
    changed: str, tiny_encoder: Encoder, tmp_path: Path
):
    path = tmp_path / "v.npy"
    keep_vectors(tiny_encoder, TEXTS, path, **FLOAT)
    np.save(path, np.full((10, 32), 7, np.float32))  # what is read back is what is there
    texts, options = TEXTS, FLOAT
    if changed == "weights":
        next(tiny_encoder.module.parameters()).data.add_(0.1)
    elif changed == "prompts":
        tiny_encoder.contents.prompts.update(document="the river ")
    elif changed == "texts":
        texts = TEXTS[::-1]
    elif changed == "dtype":
        options = {**FLOAT, "dtype": "float16"}
    found = keep_vectors(tiny_encoder, texts, path, **options)
    assert (found.values == 7).all() == (changed == "nothing")


def test_of_a_bare_function_nobody_knows_whether_it_changed(tmp_path: Path):
    for value in (1.0, 2.0):
        embed = lambda texts, *, role=None: np.full((len(texts), 3), value, np.float32)  # noqa: B023, E731
        found = keep_vectors(embed, TEXTS, tmp_path / "v.npy", role="query")
        assert (found.values == value).all()


def test_a_vector_that_is_no_number_is_refused_in_the_first_texts(tmp_path: Path):
    asked = []

    def embed(texts, *, role=None):
        asked.append(len(texts))
        return np.full((len(texts), 3), np.nan, np.float32)

    with pytest.raises(LikewiseError, match="not finite"):
        keep_vectors(embed, TEXTS, tmp_path / "v.npy", role="query")
    assert asked == [1]


def ranked(tmp_path: Path, search, queries, *, stop_at: int = 99, prints=("a",), depth: int = 3):
    """The rankings, and how many queries were searched for them."""
    seen: list[int] = []

    def counted(some, **options):
        if len(seen) == stop_at:
            raise Stop
        seen.append(len(some))
        return search(some, **options)

    skipped = np.array([[i, i] for i in range(len(queries))])
    kept = keep_ranking(
        lambda: counted, queries, tmp_path / "r.npy", depth=depth, prints=prints, skipped=skipped
    )
    return kept, seen


@pytest.mark.parametrize("words", [False, True])
def test_rankings_in_parts_are_the_whole_ranking(words: bool, tmp_path: Path):
    queries = [question(*topic) for topic in TOPICS[:10]]
    vectors = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)
    search = Bm25(TEXTS) if words else partial(search_cosine, documents=vectors[10:])
    asked = queries if words else vectors[:10]
    kept, seen = ranked(tmp_path, search, asked)
    own = np.arange(10)
    whole = (
        search_bm25(queries, TEXTS, depth=3, skipped=own)
        if words
        else search_cosine(vectors[:10], vectors[10:], depth=3, skipped=own)
    )
    assert seen == [4, 4, 2]
    every = kept.part(slice(0, 10))
    np.testing.assert_array_equal(every.positions, whole.positions)
    np.testing.assert_array_equal(every.scores, whole.scores)
    some = kept.part(np.array([7, 2]))
    np.testing.assert_array_equal(some.positions, whole.positions[[7, 2]])


def test_a_search_goes_on_where_it_stopped_and_is_read_back(tmp_path: Path):
    vectors = np.random.default_rng(0).normal(size=(10, 5)).astype(np.float32)
    search = partial(search_cosine, documents=vectors)
    with pytest.raises(Stop):
        ranked(tmp_path, search, vectors, stop_at=2)
    kept, seen = ranked(tmp_path, search, vectors)
    assert seen == [2]
    whole = search_cosine(vectors, vectors, depth=3, skipped=np.arange(10))
    np.testing.assert_array_equal(kept.part(slice(0, 10)).positions, whole.positions)
    assert ranked(tmp_path, search, vectors)[1] == []
    assert ranked(tmp_path, search, vectors, prints=("b",))[1] == [4, 4, 2]
    assert ranked(tmp_path, search, vectors, prints=("b",), depth=2)[1] == [4, 4, 2]


def test_texts_have_another_fingerprint_where_they_are_cut_elsewhere():
    assert text_prints(["a", "b"]) == text_prints(["a"], ["b"])
    assert text_prints(["ab", ""]) != text_prints(["a", "b"])
