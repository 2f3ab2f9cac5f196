"""JSON files of a model folder: read with their place in every error."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from likewise.errors import InputError, Where

UNLIMITED = 1_000_000  # a tokenizer without a limit states a number like 1e30
COPY_AGAIN = "copy or download the model folder again: this file is not as it was written"


def read_json(path: Path) -> Any:
    """The value in a JSON file.

    Raises:
        InputError: the file is missing, unreadable, not UTF-8 or not JSON; names it.
    """
    where = Where(path=str(path))
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError("this file is missing", mend=COPY_AGAIN, where=where) from error
    except OSError as error:
        problem = f"this file cannot be read: {error.strerror or error}"
        raise InputError(problem, mend="check the path and its permissions", where=where) from error
    except UnicodeDecodeError as error:
        problem = f"expected JSON in UTF-8, byte {error.start + 1} is not UTF-8"
        raise InputError(problem, mend=COPY_AGAIN, where=where) from error
    except json.JSONDecodeError as error:
        problem = f"expected JSON, line {error.lineno} is not: {error.msg}"
        raise InputError(problem, mend=COPY_AGAIN, where=where) from error


def read_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        InputError: as `read_json`, or the file holds something other than an object.
    """
    value = read_json(path)
    if not isinstance(value, dict):
        problem = f"expected a JSON object, found {type(value).__name__}"
        raise InputError(problem, mend=COPY_AGAIN, where=Where(path=str(path)))
    return value


def read_object_if_there(path: Path) -> dict[str, Any]:
    """As `read_object`; an absent file is an empty object."""
    return read_object(path) if path.exists() else {}


def expect(value: Any, kind: type | tuple[type, ...], *, key: str, path: Path) -> Any:
    """`value`, if it is of that type (bool is no int).

    Raises:
        InputError: it is of another type; names the file and the key.
    """
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if isinstance(value, kinds) and not (isinstance(value, bool) and bool not in kinds):
        return value
    names = " or ".join("null" if k is type(None) else k.__name__ for k in kinds)
    problem = f'"{key}": expected {names}, found {value!r}'
    raise InputError(problem, mend=f'correct "{key}" in this file', where=Where(path=str(path)))


def first_limit(stated: Sequence[Any], *, what: str, mend: str, path: Path) -> int | None:
    """The first length limit that is one, of those that files state in their several ways.

    Args:
        stated: as they stand in the files, the one that counts most first; absent ones are None.
        what: is limited, in the singular, for the error.
        mend: what to correct.
        path: of the folder, for the error.

    Returns:
        Tokens; None where no file states a limit.

    Raises:
        InputError: it is below one.
    """
    for value in stated:
        if isinstance(value, int | float) and not isinstance(value, bool) and value < UNLIMITED:
            if value < 1:
                problem = f"the longest {what} must have one token at least, found {value}"
                raise InputError(problem, mend=mend, where=Where(path=str(path)))
            return int(value)
    return None
