"""Files of word vectors: GloVe's text, word2vec's text, or an .npz with `words` and `vectors`."""

import re
import zipfile
import zlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likewise.data.files import lines, no_such_file, not_utf8
from likewise.errors import InputError, Where

HEADER = re.compile(rb"(\d+)[ \t](\d+)\s*")  # word2vec's first line: number of words, of values
ZIP_MAGIC = b"PK"
BINARY = "it is word2vec's binary form, which is not read"
TO_TEXT = 'save it as text: gensim\'s KeyedVectors.save_word2vec_format("vectors.txt")'


@dataclass(frozen=True, slots=True, kw_only=True)
class WordVectors:
    """The vectors of n distinct words.

    Attributes:
        words: in the order of the file, which for GloVe and word2vec is that of frequency.
        vectors: [n, D] float32, all finite.
        ranks: [n] place of each word in the file, from 1.
        notes: what reading had to decide.
        counts: [n] how often each word stood in the texts that its vector was learnt from, where
            that is known.
    """

    words: list[str]
    vectors: NDArray[np.float32]
    ranks: NDArray[np.int64]
    notes: tuple[str, ...] = ()
    counts: NDArray[np.int64] | None = None

    def take(self, places: Sequence[int]) -> "WordVectors":
        """Some of the words, in that order."""
        chosen = np.asarray(places, dtype=np.int64)
        return replace(
            self,
            words=[self.words[i] for i in places],
            vectors=self.vectors[chosen],
            ranks=self.ranks[chosen],
            counts=None if self.counts is None else self.counts[chosen],
        )


def read_word_vectors(path: Path) -> WordVectors:
    """Read a file of word vectors.

    Args:
        path: text, one word and its D numbers a line (GloVe; word2vec with its line of counts in
            front; plain or gzip), or an .npz of `words` [n] and `vectors` [n, D]. Which one it is
            is told by its content. Of a word that stands twice the first vector is taken.

    Raises:
        InputError: no such file, an empty or damaged one, a row without a number, with too many
            or too few, or with one that is not finite; names file and row.
    """
    if path.is_dir():
        mend = "give the file of word vectors; a model folder is named without static:"
        raise InputError("a folder, not a file", mend=mend, where=Where(path=str(path)))
    if not path.is_file():
        raise no_such_file(path)
    with path.open("rb") as file:
        is_zip = file.read(2) == ZIP_MAGIC
    if path.suffix == ".npz" and not is_zip:
        problem = "not a whole .npz file: it does not begin as one"
        raise InputError(problem, mend="copy the file again", where=Where(path=str(path)))
    if is_zip:
        words, vectors, ranks = _read_npz(path)
    else:
        words, vectors, ranks = _read_text(path)
    _refuse_not_finite(path, vectors, ranks)
    return _distinct(words, vectors, ranks)


def _distinct(
    words: list[str], vectors: NDArray[np.float32], ranks: NDArray[np.int64]
) -> WordVectors:
    first: dict[str, int] = {}
    for i, word in enumerate(words):
        first.setdefault(word, i)
    repeats = len(words) - len(first)
    places = np.arange(1, len(words) + 1)
    if not repeats:
        return WordVectors(words=words, vectors=vectors, ranks=places)
    kept = list(first.values())
    some = "1 row repeats" if repeats == 1 else f"{repeats:,} rows repeat"
    twice = next(word for i, word in enumerate(words) if first[word] != i)
    note = f'{some} a word, such as "{twice}": its first vector is used'
    return WordVectors(words=list(first), vectors=vectors[kept], ranks=places[kept], notes=(note,))


def _refuse_not_finite(path: Path, vectors: NDArray[np.float32], rows: NDArray[np.int64]) -> None:
    good = np.isfinite(vectors).all(axis=1)
    if not good.all():
        bad = int(np.flatnonzero(~good)[0])
        value = vectors[bad][~np.isfinite(vectors[bad])][0]
        problem = f"expected finite numbers (in float32), found {value}"
        mend = "remove this row, or write the file again"
        raise InputError(problem, mend=mend, where=Where(path=str(path), row=int(rows[bad])))


def _read_text(path: Path) -> tuple[list[str], NDArray[np.float32], NDArray[np.int64]]:
    """Words, vectors and line numbers."""
    words: list[str] = []
    rows: list[int] = []
    values = array("f")
    width = promised = None
    for where, line in _filled_lines(path):
        if where.row == 1 and (header := HEADER.fullmatch(line)):
            promised, width = int(header[1]), int(header[2])
            continue
        width = _width_of(line, where) if width is None else width
        word, numbers = _split(line, width, where)
        values.extend(numbers)
        words.append(word)
        rows.append(where.row or 0)
    if not words:
        mend = "write one word and its numbers a line: word 0.1 -0.2 0.3"
        raise InputError("there are no words", mend=mend, where=Where(path=str(path)))
    if promised is not None and promised != len(words):
        problem = f"its first line promises {promised:,} words, and {len(words):,} are there"
        mend = "copy the file again: it was cut, or joined with another"
        raise InputError(problem, mend=mend, where=Where(path=str(path)))
    vectors = np.frombuffer(values, dtype=np.float32).reshape(len(words), -1)
    return words, vectors, np.array(rows)


def _filled_lines(path: Path) -> Iterator[tuple[Where, bytes]]:
    for where, line in lines(path):
        if b"\0" in line:
            raise InputError(BINARY, mend=TO_TEXT, where=where)
        if line.strip():
            yield where, line


def _width_of(line: bytes, where: Where) -> int:
    """D by the first line: its numbers from the right, one field left for the word."""
    fields = line.split()
    numbers = next((i for i, f in enumerate(reversed(fields)) if not _is_number(f)), len(fields))
    width = min(numbers, len(fields) - 1)
    if width < 1:
        found = line[:40].decode("utf-8", errors="replace").strip()
        problem = f'expected a word and its numbers, separated by spaces, found "{found}"'
        mend = "give GloVe's or word2vec's text, or an .npz with words and vectors"
        raise InputError(problem, mend=mend, where=where)
    return width


def _split(line: bytes, width: int, where: Where) -> tuple[str, list[float]]:
    """A word, which may have spaces inside as some of glove.840B have, and its numbers."""
    word, *fields = line.rsplit(None, width) if width else (line,)
    before = word.split()
    if len(fields) < width or (len(before) > 1 and _is_number(before[-1])):
        found = len(fields) if len(fields) < width else width + 1
        more = "" if len(fields) < width else " or more"
        problem = f"expected a word and {width} numbers, found {found}{more}"
        raise InputError(problem, mend="remove this row, or complete it", where=where)
    try:
        return word.strip().decode(), list(map(float, fields))
    except UnicodeDecodeError as error:
        raise not_utf8(where, line, error) from error
    except ValueError as error:
        bad = next(field for field in fields if not _is_number(field))
        shown = bad[:40].decode("utf-8", errors="replace")
        mend = "remove this row, or write the number with a point"
        raise InputError(f'not a number: "{shown}"', mend=mend, where=where) from error


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _read_npz(path: Path) -> tuple[list[str], NDArray[np.float32], NDArray[np.int64]]:
    """Words, vectors and row numbers; never a pickle."""
    where = Where(path=str(path))
    mend = "write it with: numpy.savez(path, words=numpy.array(words), vectors=vectors)"
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            if not {"words", "vectors"} <= set(file.files):
                problem = f"expected arrays named words and vectors, found {', '.join(file.files)}"
                raise InputError(problem, mend=mend, where=where)
            words, vectors = file["words"], file["vectors"]
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, AttributeError) as error:
        problem = f"not a whole .npz file: {error}"
        raise InputError(problem, mend="copy the file again", where=where) from error
    except ValueError as error:
        problem = "its arrays are pickled, and a pickle can run any code when it is opened"
        raise InputError(problem, mend=mend, where=where) from error
    _refuse_shapes(words, vectors, where, mend)
    named = np.char.decode(words, "utf-8") if words.dtype.kind == "S" else words
    return named.tolist(), vectors.astype(np.float32), np.arange(1, len(words) + 1)


def _refuse_shapes(words: NDArray[Any], vectors: NDArray[Any], where: Where, mend: str) -> None:
    problem = None
    if words.ndim != 1 or words.dtype.kind not in "US":
        problem = f"words: expected [n] texts, found {list(words.shape)} of {words.dtype}"
    elif vectors.ndim != 2 or vectors.dtype.kind not in "fiu" or not vectors.shape[1]:
        problem = f"vectors: expected [n, D] numbers, found {list(vectors.shape)} {vectors.dtype}"
    elif len(words) != len(vectors):
        problem = f"there are {len(words):,} words and {len(vectors):,} vectors"
    elif not len(words):
        problem = "there are no words"
    if problem is not None:
        raise InputError(problem, mend=mend, where=where)
