"""What a cell may hold: each parser returns the value to keep, or says what is wrong."""

import contextlib
import json
import math
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

NLI_LABELS = ("entailment", "neutral", "contradiction")
UNLABELLED = ("-1", "-", "")


def parse_text(value: Any) -> str:
    """One text with something in it, kept as it is.

    Raises:
        ValueError: it is empty, no text, or holds half a surrogate pair.

    >>> parse_text("a text")
    'a text'
    """
    if isinstance(value, str):
        if not value or value.isspace():
            raise ValueError("the text is empty")
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError as error:
                problem = f"half a surrogate pair at character {error.start + 1}"
                raise ValueError(problem) from None
        return value
    if value is None:
        raise ValueError("the text is empty")
    raise ValueError(f"expected a text, found {describe(value)}")


def parse_texts(value: Any) -> str | list[str]:
    """One text or a list of them, none empty.

    Raises:
        ValueError: as for one text, or the list is empty.

    >>> parse_texts(["one", "two"])
    ['one', 'two']
    """
    if not isinstance(value, list):
        return parse_text(value)
    if not value:
        raise ValueError("the list of texts is empty")
    return [parse_text(text) for text in value]


def parse_optional_texts(value: Any) -> str | list[str] | None:
    """One text, a list of them, or nothing.

    Raises:
        ValueError: something else, or a list that holds an empty text.

    >>> parse_optional_texts("") is None
    True
    """
    if value is None or value == [] or (isinstance(value, str) and not value.strip()):
        return None
    return parse_texts(value)


def parse_score(value: Any) -> float:
    """A finite number.

    Raises:
        ValueError: anything else.

    >>> parse_score(" 3.8 ")
    3.8
    """
    number = _number(value)
    if number is None or not math.isfinite(number):
        raise ValueError(f"expected a number, found {describe(value)}")
    return number


def parse_scores(value: Any) -> list[float]:
    """Two finite numbers or more, as a list, or as a JSON list in a cell that holds text.

    Raises:
        ValueError: anything else; a single number too, as it may be a score or a margin.

    >>> parse_scores("[9.1, 0.4]")
    [9.1, 0.4]
    """
    found = value
    if isinstance(value, str) and value.strip().startswith("["):
        with contextlib.suppress(ValueError):
            found = json.loads(value)
    if not isinstance(found, list) or len(found) < 2:
        raise ValueError(f"expected a list of two numbers or more, found {describe(found)}")
    return [parse_score(number) for number in found]


def parse_nli_label(value: Any) -> int | None:
    """0, 1 or 2, or their words; None where the row has no label and is to be dropped.

    Raises:
        ValueError: any other number or word.

    >>> [parse_nli_label(value) for value in ("entailment", "1", 2, -1)]
    [0, 1, 2, None]
    """
    word = "" if value is None else _plain(value).casefold()
    if word in UNLABELLED:
        return None
    if word in NLI_LABELS:
        return NLI_LABELS.index(word)
    if word in {"0", "1", "2"}:
        return int(word)
    expected = ", ".join(f"{i} ({name})" for i, name in enumerate(NLI_LABELS))
    raise ValueError(f"expected {expected}, as number or word, found {describe(value)}")


def place_nli_labels(classes: Sequence[str]) -> list[int] | None:
    """Where each of `NLI_LABELS` stands among a model's classes, which models order in any way.

    Args:
        classes: their names; none, or "LABEL_0" and so on, say nothing, and mean our order.

    Returns:
        The three places; None where the classes are others.

    >>> place_nli_labels(["contradiction", "entailment", "neutral"])
    [1, 2, 0]
    """
    names = [name.casefold() for name in classes]
    if all(re.fullmatch(r"label_\d+", name) for name in names):
        return list(range(len(NLI_LABELS)))
    if sorted(names) != sorted(NLI_LABELS):
        return None
    return [names.index(label) for label in NLI_LABELS]


def parse_binary_label(value: Any) -> int:
    """0 or 1.

    Raises:
        ValueError: any other number or word.

    >>> parse_binary_label("1")
    1
    """
    word = str(int(value)) if isinstance(value, bool) else _plain(value)
    if word not in {"0", "1"}:
        raise ValueError(f"expected 0 (different) or 1 (same), found {describe(value)}")
    return int(word)


def parse_grade(value: Any) -> int:
    """A whole number, 0 or more: how well a document answers.

    Raises:
        ValueError: any other number or word.

    >>> parse_grade("2"), parse_grade(True)
    (2, 1)
    """
    number = float(value) if isinstance(value, bool) else _number(value)
    if number is None or not number.is_integer() or number < 0:
        raise ValueError(f"expected a whole number, 0 or more, found {describe(value)}")
    return int(number)


def parse_any_label(value: Any) -> str:
    """Any label, kept as text; a whole number loses its decimals.

    Raises:
        ValueError: there is none, or it is a list or an object.

    >>> parse_any_label(3.0)
    '3'
    """
    if value is None or isinstance(value, list | dict) or value != value:
        raise ValueError(f"expected a label, found {describe(value)}")
    word = _plain(value)
    if not word:
        raise ValueError("expected a label, found nothing")
    return parse_text(word)


def describe(value: Any) -> str:
    """What was found, short enough for one line of an error.

    >>> describe("high")
    '"high"'
    """
    if value is None or value == "":
        return "nothing"
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 40 else f'"{value[:39]}…"'
    if isinstance(value, bool | int | float | Decimal):
        return f"the number {value}" if value == value else "NaN"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return f"a value of type {type(value).__name__}"


def _plain(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    word = str(value).strip()
    return word[:-2] if word in {"0.0", "1.0", "2.0", "-1.0"} else word


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | Decimal):
        return float(value)
    if not isinstance(value, str) or "_" in value:
        return None
    try:
        return float(value)
    except ValueError:
        return None
