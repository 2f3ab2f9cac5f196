"""What a user needs to know to choose a loss: read from `LOSSES`, signatures and docstrings."""

import inspect
import re
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from likewise.losses import LOSSES
from likewise.losses.spec import LossSpec
from likewise.registry import options


@dataclass(frozen=True, slots=True, kw_only=True)
class LossOption:
    """One option of a loss.

    Attributes:
        name: as `--set` takes it.
        default: what holds where it is not set.
        values: what it may be: a type, or the words to choose from.
        meaning: its line in the docstring.
    """

    name: str
    default: Any
    values: str
    meaning: str

    @property
    def written_default(self) -> str:
        """The default as `--set` takes it; empty where there is none."""
        if self.default is None:
            return ""
        return str(self.default).lower() if isinstance(self.default, bool) else str(self.default)


@dataclass(frozen=True, slots=True, kw_only=True)
class LossFacts:
    """One line of the table of losses.

    Attributes:
        name: in `LOSSES`.
        data: the kinds that it takes, and what it needs besides.
        use: when to use it.
        paper: authors and year.
        formula: the first paragraph of its docstring.
        options: in the order of the signature; those of its head too.
    """

    name: str
    data: str
    use: str
    paper: str
    formula: str
    options: tuple[LossOption, ...]


def list_losses() -> list[LossFacts]:
    """Every loss, in the order of the table."""
    return [describe_loss(name) for name in LOSSES]


def describe_loss(name: str) -> LossFacts:
    """One loss.

    Raises:
        InputError: there is no such loss; the nearest names are offered.

    >>> facts = describe_loss("cosent")
    >>> facts.data, [(option.name, option.written_default) for option in facts.options]
    ('scored', [('scale', '20.0')])
    """
    spec = LOSSES.pick(name, what="loss")
    first = (inspect.getdoc(spec.function) or "").partition("\n\n")[0]
    return LossFacts(
        name=name,
        data=_data(spec),
        use=spec.use,
        paper=spec.paper,
        formula=_one_line(first),
        options=(*_options(spec.function), *(_options(spec.head) if spec.head else ())),
    )


def _data(spec: LossSpec) -> str:
    """The kinds, and what else has to be there."""
    needed = ["negatives"] * (spec.layout == "triplets") + ["a guide model"] * spec.guided
    return ", ".join(spec.kinds) + "".join(f" with {thing}" for thing in needed)


def _options(function: Any) -> list[LossOption]:
    text = inspect.getdoc(function) or ""
    lines = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", text, flags=re.MULTILINE)
    meanings = {name: _one_line(words) for name, words in lines}
    return [
        LossOption(
            name=name,
            default=field.default,
            values=_values(field.annotation),
            meaning=meanings.get(name, ""),
        )
        for name, field in options(function).model_fields.items()
    ]


def _values(hint: Any) -> str:
    """What an option may be, in words."""
    if get_origin(hint) is Literal:
        return ", ".join(map(str, get_args(hint)))
    words = {bool: "true, false", float: "a number", int: "a whole number", type(None): ""}
    parts = get_args(hint) or (hint,)
    return " or ".join(filter(None, (words.get(part, str(part)) for part in parts)))


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
