import gzip
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from likewise.errors import InputError
from likewise.models.word_vectors import WordVectors, read_word_vectors

WORDS = ["the", "über", "don't", ".", "1"]
VECTORS = np.array([[0.5, -1], [2, 3e-5], [0, 0], [1e8, 0.1], [7, -0.25]], dtype=np.float32)

words = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=6)
some_words = st.lists(words, min_size=1, max_size=8, unique=True)


def write_text(path: Path, lines: list[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def as_lines(words: list[str], vectors: NDArray[np.float32]) -> list[str]:
    numbers = (" ".join(map(repr, row)) for row in vectors.tolist())
    return [f"{word} {row}" for word, row in zip(words, numbers, strict=True)]


@pytest.fixture
def glove(tmp_path: Path) -> Path:
    return write_text(tmp_path / "glove.txt", as_lines(WORDS, VECTORS))


def assert_these(path: Path) -> None:
    found = read_word_vectors(path)
    assert found.words == WORDS
    np.testing.assert_array_equal(found.vectors, VECTORS)
    assert found.vectors.dtype == np.float32
    assert found.ranks.tolist() == [1, 2, 3, 4, 5]
    assert found.notes == ()


def test_glove_s_text_is_read(glove: Path):
    assert_these(glove)


def test_gzip_is_read(glove: Path, tmp_path: Path):
    path = tmp_path / "glove.txt.gz"
    path.write_bytes(gzip.compress(glove.read_bytes()))
    assert_these(path)


@pytest.mark.parametrize("separator", [" ", "\t"])
def test_word2vec_s_line_of_counts_is_no_word(tmp_path: Path, separator: str):
    lines = ["5 2", *(line + " " for line in as_lines(WORDS, VECTORS)), ""]
    assert_these(write_text(tmp_path / "v", [line.replace(" ", separator) for line in lines]))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8])
def test_npz_of_any_number_is_read(tmp_path: Path, dtype: type):
    vectors = np.array([[1, -2, 0.0], [3, 0, 4]]).astype(dtype)
    np.savez(tmp_path / "v.npz", words=np.array(["a", "ö"]), vectors=vectors)
    found = read_word_vectors(tmp_path / "v.npz")
    assert found.words == ["a", "ö"]
    np.testing.assert_array_equal(found.vectors, vectors.astype(np.float32))


def test_npz_with_words_in_bytes_is_read(tmp_path: Path):
    names = np.array([word.encode() for word in ("a", "ö")])
    np.savez_compressed(tmp_path / "v.npz", words=names, vectors=np.eye(2))
    assert read_word_vectors(tmp_path / "v.npz").words == ["a", "ö"]


def test_npz_is_told_by_its_content(tmp_path: Path):
    np.savez(tmp_path / "v.npz", words=np.array(["a"]), vectors=np.ones((1, 2)))
    path = (tmp_path / "v.npz").rename(tmp_path / "vectors")
    assert read_word_vectors(path).words == ["a"]


def test_words_with_spaces_are_words(tmp_path: Path):
    lines = ["a 0.5 1", ". . . 2 3", "at name@domain.com 4 5"]
    found = read_word_vectors(write_text(tmp_path / "v.txt", lines))
    assert found.words == ["a", ". . .", "at name@domain.com"]
    assert found.vectors.tolist() == [[0.5, 1], [2, 3], [4, 5]]


def test_the_first_word_may_have_a_space_or_be_a_number(tmp_path: Path):
    found = read_word_vectors(write_text(tmp_path / "v.txt", ["new york 0.5 1 2", "x 1 2 3"]))
    assert (found.words, found.vectors.shape) == (["new york", "x"], (2, 3))
    found = read_word_vectors(write_text(tmp_path / "w.txt", ["1 0.5 1 2", "x 1 2 3"]))
    assert (found.words, found.vectors.shape) == (["1", "x"], (2, 3))


def test_of_a_word_that_stands_twice_the_first_vector_is_taken_and_told(tmp_path: Path):
    lines = ["a 1 1", "b 2 2", "a 3 3", "a 4 4", "c 5 5"]
    found = read_word_vectors(write_text(tmp_path / "v.txt", lines))
    assert found.words == ["a", "b", "c"]
    assert found.vectors[:, 0].tolist() == [1, 2, 5]
    assert found.ranks.tolist() == [1, 2, 5]
    assert found.notes == ('2 rows repeat a word, such as "a": its first vector is used',)


@given(data=st.data(), names=some_words, width=st.integers(1, 4), with_header=st.booleans())
def test_what_is_written_is_read_again_in_either_form(
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
    names: list[str],
    width: int,
    with_header: bool,
):
    finite = st.floats(width=32, allow_nan=False, allow_infinity=False)
    vectors = data.draw(arrays(np.float32, (len(names), width), elements=finite))
    folder = tmp_path_factory.mktemp("v")
    header = [f"{len(names)} {width}"]
    text = write_text(folder / "v", [*(header if with_header else ()), *as_lines(names, vectors)])
    np.savez(folder / "v.npz", words=np.array(names), vectors=vectors)
    for path in (text, folder / "v.npz"):
        found = read_word_vectors(path)
        assert found.words == names
        np.testing.assert_array_equal(found.vectors, vectors)


@pytest.mark.parametrize(
    ("lines", "row", "problem"),
    [
        (["a 1 2", "b 1"], 2, "expected a word and 2 numbers, found 1"),
        (["a 1 2", "b 1 2 3"], 2, "expected a word and 2 numbers, found 3 or more"),
        (["a 1 2", "b 1 2,5"], 2, 'not a number: "2,5"'),
        (["a 1 2", "b x y"], 2, 'not a number: "x"'),
        (["a 1 2", "", "b nan 2"], 3, "expected finite numbers .*, found nan"),
        (["a 1 2", "b 1 -inf"], 2, "found -inf"),
        (["a 1 2", "b 1 1e39"], 2, "found inf"),
        (["a b c"], 1, 'expected a word and its numbers, .* found "a b c"'),
        (["word"], 1, 'found "word"'),
        (["2 3", "a 1 2"], 2, "expected a word and 3 numbers, found 2"),
        (["2 3", "a 1 2 3"], None, "promises 2 words, and 1 are there"),
        (["2 3"], None, "there are no words"),
        ([""], None, "there are no words"),
        (["a 1 2", "b\0 1 2"], 2, "word2vec's binary form"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, lines: list[str], row: int | None, problem: str):
    path = write_text(tmp_path / "v.txt", lines)
    with pytest.raises(InputError, match=problem) as caught:
        read_word_vectors(path)
    assert caught.value.where is not None
    assert (caught.value.where.path, caught.value.where.row) == (str(path), row)


def test_an_empty_file_is_named(tmp_path: Path):
    (tmp_path / "v.txt").touch()
    with pytest.raises(InputError, match=r"v\.txt: the file is empty"):
        read_word_vectors(tmp_path / "v.txt")


def test_a_word_that_is_not_utf8_is_named(tmp_path: Path):
    (tmp_path / "v.txt").write_bytes(b"a 1 2\n\xfcber 1 2\n")
    with pytest.raises(InputError, match=r"row 2.*not UTF-8"):
        read_word_vectors(tmp_path / "v.txt")


def test_a_missing_file_offers_what_is_there(glove: Path):
    with pytest.raises(InputError, match="no such file") as caught:
        read_word_vectors(glove.with_name("glov.txt"))
    assert str(glove) in caught.value.mend


def test_a_folder_is_no_file(tmp_path: Path):
    with pytest.raises(InputError, match="a folder, not a file"):
        read_word_vectors(tmp_path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"words": np.array(["a"])}, "expected arrays named words and vectors, found words"),
        ({"words": np.array(["a"]), "vectors": np.ones((2, 3))}, "1 words and 2 vectors"),
        ({"words": np.array([["a"]]), "vectors": np.ones((1, 3))}, r"words: expected \[n\] texts"),
        ({"words": np.array([1.0]), "vectors": np.ones((1, 3))}, r"words: expected \[n\] texts"),
        ({"words": np.array(["a"]), "vectors": np.ones(1)}, r"vectors: expected \[n, D\] numbers"),
        ({"words": np.array(["a"]), "vectors": np.array([["x"]])}, "vectors: expected"),
        ({"words": np.array([], dtype=str), "vectors": np.ones((0, 3))}, "no words"),
        ({"words": np.array(["a", "b"]), "vectors": np.array([[1], [np.nan]])}, "row 2.*nan"),
    ],
)
def test_a_bad_npz_is_named(tmp_path: Path, content: dict[str, Any], problem: str):
    np.savez(tmp_path / "v.npz", **content)
    with pytest.raises(InputError, match=problem) as caught:
        read_word_vectors(tmp_path / "v.npz")
    assert "v.npz" in str(caught.value)


def test_pickled_arrays_are_refused(tmp_path: Path):
    np.savez(tmp_path / "v.npz", words=np.array(["a"], dtype=object), vectors=np.ones((1, 2)))
    with pytest.raises(InputError, match="pickle can run any code"):
        read_word_vectors(tmp_path / "v.npz")


def test_a_cut_npz_is_named(tmp_path: Path):
    np.savez(tmp_path / "v.npz", words=np.array(["a"]), vectors=np.ones((1, 2)))
    whole = (tmp_path / "v.npz").read_bytes()
    for size in (0, 1, 40, len(whole) // 2, len(whole) - 30):
        (tmp_path / "v.npz").write_bytes(whole[:size])
        with pytest.raises(InputError, match=r"v\.npz: not a whole \.npz file"):
            read_word_vectors(tmp_path / "v.npz")


def test_another_zip_is_named(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "v.zip", "w") as file:
        file.writestr("glove.txt", "a 1 2")
    with pytest.raises(InputError, match="expected arrays named words and vectors"):
        read_word_vectors(tmp_path / "v.zip")


def test_some_of_the_words_keep_their_vectors_places_and_counts():
    vectors = WordVectors(
        words=["a", "b", "c"],
        vectors=np.arange(6, dtype=np.float32).reshape(3, 2),
        ranks=np.array([1, 2, 5]),
        counts=np.array([9, 4, 1]),
    )
    found = vectors.take([2, 0])
    assert (found.words, found.ranks.tolist()) == (["c", "a"], [5, 1])
    assert found.vectors.tolist() == [[4, 5], [0, 1]]
    assert found.counts is not None
    assert found.counts.tolist() == [1, 9]
    assert replace(vectors, counts=None).take([1]).counts is None
