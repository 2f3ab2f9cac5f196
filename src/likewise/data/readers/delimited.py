"""Comma- and tab-separated values, quoted as RFC 4180 has it."""

import csv
import shlex
from collections.abc import Iterator
from pathlib import Path

from likewise.data.files import Rows, lines, not_utf8
from likewise.errors import InputError, Where


def read_csv(path: Path) -> Rows:
    """Yield every row of a .csv by the names in its header, in constant memory.

    Raises:
        InputError: the file, its header or its gzip cannot be used.
    """
    return _read(path, ",")


def read_tsv(path: Path) -> Rows:
    """Yield every row of a .tsv by the names in its header, in constant memory.

    Raises:
        InputError: the file, its header or its gzip cannot be used.
    """
    return _read(path, "\t")


def _read(path: Path, delimiter: str) -> Rows:
    header: list[str] | None = None
    n_rows = 0
    for where, fields in _split(path, delimiter):
        if header is None:
            if isinstance(fields, InputError):
                raise fields
            header = _checked_header(fields, where, delimiter)
            continue
        n_rows += 1
        if isinstance(fields, InputError):
            yield where, fields
        elif len(fields) != len(header):
            yield where, _uneven(where, header, fields, delimiter)
        else:
            yield where, dict(zip(header, fields, strict=True))
    if n_rows == 0:
        problem = "a header and no rows" if header else "the file has no rows"
        raise InputError(problem, where=Where(path=str(path)), mend="write one row a line below it")


def _split(path: Path, delimiter: str) -> Iterator[tuple[Where, list[str] | InputError]]:
    """Every row that is not blank as its fields, at the line where it starts."""
    misread: list[InputError] = []  # lines that are not UTF-8, of the row being read
    reader = csv.reader(_decoded(path, misread), delimiter=delimiter, strict=True)
    name = str(path)
    while True:
        where = Where(path=name, row=reader.line_num + 1)
        misread.clear()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield where, misread[0] if misread else _broken(path, where, error, delimiter)
            continue
        if fields:
            yield where, misread[0] if misread else fields


def _decoded(path: Path, misread: list[InputError]) -> Iterator[str]:
    for where, line in lines(path):
        try:
            yield line.decode()
        except UnicodeDecodeError as error:
            misread.append(not_utf8(where, line, error))
            yield line.decode(errors="replace")


def _checked_header(fields: list[str], where: Where, delimiter: str) -> list[str]:
    header = [field.strip() for field in fields]
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        problem = f"the header has more than one column named {', '.join(map(repr, repeated))}"
        mend = "give every column a name of its own in the first row"
        raise InputError(problem, where=where, mend=mend)
    other = next((c for c in (",", "\t", ";", "|") if c != delimiter and c in header[0]), None)
    if len(header) == 1 and other:
        problem = f"the header is one column, {header[0]!r}: its names are separated by {other!r}"
        mend = f"write it with {delimiter!r} between the columns"
        if other in ",\t":
            suffix = ".csv" if other == "," else ".tsv"
            stem = Path(where.path).name.split(".")[0]
            mend = f"rename it: mv {shlex.quote(where.path)} {shlex.quote(stem + suffix)}"
        raise InputError(problem, where=where, mend=mend)
    return header


def _uneven(where: Where, header: list[str], fields: list[str], delimiter: str) -> InputError:
    names = ", ".join(header)
    problem = f"expected {len(header)} fields ({names}), found {len(fields)}"
    what = "a comma" if delimiter == "," else "a tab"
    mend = f"put a text that holds {what} or a line break in double quotes"
    if len(fields) < len(header):
        mend = "write every column in every row, an empty one as nothing between two separators"
    return InputError(problem, where=where, mend=mend)


def _broken(path: Path, where: Where, error: csv.Error, delimiter: str) -> InputError:
    text = str(error)
    mend = 'double the quotes inside a quoted text: "he said ""yes"""'
    if delimiter == "\t":
        quote = r"""sed 's/"/""/g; s/\t/"\t"/g; s/^/"/; s/$/"/'"""
        mend += f"; where no text is quoted: {quote} {shlex.quote(str(path))} > quoted.tsv"
    if "end of data" in text:
        problem = "a quote is opened in this row and never closed"
    elif "expected after" in text:
        problem = "a quoted text goes on after its closing quote"
    elif "field larger" in text:
        problem = f"a text is longer than {csv.field_size_limit():,} characters, or a quote is open"
        mend = "close the quote, or write such long texts as .jsonl"
    elif "new-line" in text:
        problem = "the lines end in a carriage return alone"
        mend = f"convert them: tr '\\r' '\\n' < {shlex.quote(str(path))} > lines.csv"
    else:
        problem = text
    return InputError(problem, where=where, mend=mend)
