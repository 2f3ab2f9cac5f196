"""Files as lines with their place: plain or gzip, UTF-8 with or without a byte-order mark."""

import difflib
import gzip
import shlex
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, cast

from likewise.errors import InputError, Where

Rows: TypeAlias = Iterator[tuple[Where, dict[str, Any] | InputError]]
"""What a reader yields: a record, or the error that stands in its place.

A bad row is yielded, so that reading goes on and all of them can be told at once. What makes
going on impossible (no such file, a cut gzip) is raised.
"""

BOM = b"\xef\xbb\xbf"
GZIP_MAGIC = b"\x1f\x8b"


def lines(path: Path) -> Iterator[tuple[Where, bytes]]:
    """Yield every line with its end and its place, in constant memory.

    Args:
        path: plain or gzip, told apart by content; a byte-order mark is taken off.

    Raises:
        InputError: no such file, an empty file, or a gzip that is cut or damaged.
    """
    name, row = str(path), 0
    with opened(path) as stream:
        try:
            for row, line in enumerate(stream, 1):
                if row == 1 and line.startswith(BOM):
                    line = line.removeprefix(BOM)
                yield Where(path=name, row=row), line
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise cut_gzip(path, row=row + 1) from error
    if row == 0:
        raise empty_file(path)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file for its bytes, decompressed where it is gzip.

    Raises:
        InputError: it does not exist, is a folder, cannot be read, or is no gzip despite its name.
    """
    try:
        with path.open("rb") as raw:
            is_gzip = raw.read(2) == GZIP_MAGIC
            empty = raw.seek(0, 2) == 0
            raw.seek(0)
            if is_gzip:
                with gzip.GzipFile(fileobj=raw) as stream:
                    yield cast(BinaryIO, stream)
            elif path.suffix == ".gz" and not empty:
                problem = "not a gzip file, although its name ends in .gz"
                mend = f"rename it: mv {shlex.quote(str(path))} {shlex.quote(str(path)[:-3])}"
                raise InputError(problem, where=Where(path=str(path)), mend=mend)
            else:
                yield raw
    except FileNotFoundError as error:
        raise no_such_file(path) from error
    except IsADirectoryError as error:
        mend = "name a file in it, or give a folder that has queries.jsonl and corpus.jsonl"
        problem = "a folder, where a file was expected"
        raise InputError(problem, where=Where(path=str(path)), mend=mend) from error
    except PermissionError as error:
        mend = f"allow it: chmod u+r {shlex.quote(str(path))}"
        where = Where(path=str(path))
        raise InputError("no permission to read it", where=where, mend=mend) from error


def no_such_file(path: Path) -> InputError:
    """The error for a path that does not exist: offers what is there under a similar name."""
    folder = path.parent
    names = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []
    near = difflib.get_close_matches(path.name, names, n=3, cutoff=0.6)
    offer = ", ".join(str(folder / name) for name in near)
    mend = (
        f"did you mean: {offer}" if near else f"look what is there: ls {shlex.quote(str(folder))}"
    )
    return InputError("there is no such file", where=Where(path=str(path)), mend=mend)


def empty_file(path: Path) -> InputError:
    """The error for a file that holds nothing at all."""
    mend = "write it again: whatever made it has failed, or stopped too early"
    return InputError("the file is empty", where=Where(path=str(path)), mend=mend)


def cut_gzip(path: Path, *, row: int) -> InputError:
    """The error for a gzip that ends early or is damaged; everything before `row` was read."""
    problem = "the gzip is cut off or damaged here"
    mend = f"copy or download it again, and test it: gzip -t {shlex.quote(str(path))}"
    return InputError(problem, where=Where(path=str(path), row=row), mend=mend)


def not_utf8(where: Where, line: bytes, error: UnicodeDecodeError) -> InputError:
    """The error for a line that is not UTF-8, with the command that converts the file."""
    byte = line[error.start]
    if line.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    else:  # 0x80 to 0x9f are quotes and dashes on Windows, and control codes in Latin-1
        encoding = "windows-1252" if 0x80 <= byte <= 0x9F else "latin1"
    path = Path(where.path)
    suffix = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    source = shlex.quote(where.path)
    convert = f"iconv -f {encoding} -t utf-8"
    command = (
        f"gzip -dc {source} | {convert} > utf8{suffix}"
        if path.suffix == ".gz"
        else f"{convert} {source} > utf8{suffix}"
    )
    problem = f"byte {error.start + 1} of the line is not UTF-8 (0x{byte:02x})"
    return InputError(problem, where=where, mend=f"convert the file first: {command}")
