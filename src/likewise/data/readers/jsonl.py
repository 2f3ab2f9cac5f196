"""JSON Lines: one JSON object a line, plain or gzip."""

import json
import shlex
from pathlib import Path

from likewise.data.files import Rows, lines, not_utf8
from likewise.errors import InputError, Where


def read_jsonl(path: Path) -> Rows:
    """Yield every object with its place in the file, in constant memory; blank lines are passed.

    A line that is not UTF-8, not JSON or not an object is yielded as its error.

    Raises:
        InputError: the file or its gzip cannot be used.
    """
    for where, line in lines(path):
        if line.isspace():
            continue
        try:
            record = json.loads(line.decode().rstrip("\r\n"))
        except UnicodeDecodeError as error:
            yield where, not_utf8(where, line, error)
        except (json.JSONDecodeError, RecursionError) as error:
            yield where, _not_json(where, error)
        else:
            yield where, record if isinstance(record, dict) else _not_object(where, record)


def _not_json(where: Where, error: json.JSONDecodeError | RecursionError) -> InputError:
    mend = "write one whole object a line, names and texts in double quotes"
    if isinstance(error, RecursionError):
        return InputError("nested too deeply to be read", where=where, mend=mend)
    problem = f"not JSON at character {error.colno}: {error.msg}"
    if error.doc.lstrip().startswith("["):
        mend = f"write one object a line: jq -c '.[]' {shlex.quote(where.path)} > lines.jsonl"
    return InputError(problem, where=where, mend=mend)


def _not_object(where: Where, record: object) -> InputError:
    problem = f"expected an object, found {type(record).__name__}"
    mend = 'name the fields: {"anchor": "…", "positive": "…"}'
    if isinstance(record, list):
        mend = f"write one object a line: jq -c '.[]' {shlex.quote(where.path)} > lines.jsonl"
    return InputError(problem, where=where, mend=mend)
