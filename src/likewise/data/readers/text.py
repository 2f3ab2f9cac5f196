"""Plain text: one text a line, plain or gzip."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from likewise.data.files import BOM, Rows, lines, not_utf8, opened
from likewise.data.spill import Spill

BLOCK = 2**24  # bytes that are looked at together
NEWLINE = 0x0A
# how a line may begin that is blank in the end: ASCII signs, and the wide spaces in UTF-8
_FIRST = np.zeros(256, dtype=bool)
_FIRST[[*range(0x09, 0x0E), *range(0x1C, 0x21)]] = True
_WIDE = np.array([0xC285, 0xC2A0, 0xE19A, 0xE280, 0xE281, 0xE380], dtype=np.uint16)


def read_text(path: Path) -> Rows:
    """Yield every line as `{"text": line}`, in constant memory; blank lines are passed.

    A line that is not UTF-8 is yielded as its error.

    Raises:
        InputError: the file or its gzip cannot be used.
    """
    for where, line in lines(path):
        if line.isspace():
            continue
        try:
            yield where, {"text": line.decode().rstrip("\r\n")}
        except UnicodeDecodeError as error:
            yield where, not_utf8(where, line, error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The lines of a file that have something in them.

    Attributes:
        texts: n large strings; beyond a bound they lie in a file that memory maps.
        row: [n] line numbers, from 1.
    """

    texts: pa.ChunkedArray
    row: NDArray[np.int64]


def read_lines(path: Path, *, block: int = BLOCK) -> Lines | None:
    """What `read_text` yields, without a Python object for each line: millions a second.

    Args:
        path: plain or gzip.
        block: bytes that are in memory at a time.

    Returns:
        None where anything is wrong with the file, or there is no line: `read_text` says what.

    Raises:
        InputError: the file cannot be opened.
    """
    spill, rows, passed = Spill(), [], 0
    try:
        for whole in _blocks(path, block):
            found = _lines_of(whole)
            if found is None:
                return None
            texts, row, count = found
            spill.add(texts)
            rows.append(row + passed)
            passed += count
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return None
    texts = spill.finish(pa.large_string())
    return Lines(texts=texts, row=np.concatenate(rows)) if len(texts) else None


def _blocks(path: Path, size: int) -> Iterator[bytes]:
    """The file in pieces of whole lines, without its byte-order mark."""
    with opened(path) as stream:
        rest = stream.read(len(BOM)).removeprefix(BOM)
        while block := stream.read(size):
            block = rest + block
            end = block.rfind(b"\n") + 1
            rest = block[end:]
            if end:
                yield block[:end]
    if rest:
        yield rest


def _lines_of(block: bytes) -> tuple[pa.Array, NDArray[np.int64], int] | None:
    """The lines of a block that are not blank, their numbers in it, and how many lines it has."""
    if not _is_utf8(block):
        return None
    data = np.frombuffer(block, dtype=np.uint8)
    ends = np.flatnonzero(data == NEWLINE) + 1
    if not len(ends) or ends[-1] < len(data):
        ends = np.append(ends, len(data))
    offsets = np.concatenate([np.zeros(1, np.int64), ends])
    kept = _filled(block, data, offsets)
    if kept is None:
        return None
    return _texts(block, offsets, kept), np.flatnonzero(kept) + 1, len(ends)


def _texts(block: bytes, offsets: NDArray[np.int64], kept: NDArray[np.bool_]) -> pa.Array:
    """The lines that are kept, without their ends."""
    import pyarrow.compute as pc

    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(block)]
    texts = pa.Array.from_buffers(pa.large_string(), len(offsets) - 1, buffers)
    texts = pc.ascii_rtrim(texts, characters="\r\n")
    return texts if kept.all() else texts.filter(pa.array(kept))


def _is_utf8(block: bytes) -> bool:
    try:
        return block.isascii() or bool(block.decode())
    except UnicodeDecodeError:
        return False


def _filled(
    block: bytes, data: NDArray[np.uint8], offsets: NDArray[np.int64]
) -> NDArray[np.bool_] | None:
    """[lines] whether a line has something in it; None where one is an error, as a wide space."""
    starts, lengths = offsets[:-1], np.diff(offsets)
    kept = lengths > 1
    kept |= data[starts] != NEWLINE
    second = data[np.minimum(starts + 1, len(data) - 1)]
    pairs = data[starts].astype(np.uint16) << 8 | second
    odd = kept & (_FIRST[data[starts]] | np.isin(pairs, _WIDE))
    for i in np.flatnonzero(odd).tolist():
        line = block[offsets[i] : offsets[i + 1]]
        if line.isspace():
            kept[i] = False
        elif line.decode().isspace():
            return None
    return kept
