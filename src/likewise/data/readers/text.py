"""Plain text: one text a line, plain or gzip."""

from pathlib import Path

from likewise.data.files import Rows, lines, not_utf8


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
