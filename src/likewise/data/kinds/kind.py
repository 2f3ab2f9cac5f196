"""What a kind of data is: its roles, the column names they accept, and what their cells hold."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One part that a column can play in a row."""

    name: str
    parse: Callable[[Any], Any]
    """A cell to the value to keep; ValueError if it is wrong, None (if required) drops the row."""
    arrow: pa.DataType
    """Type of the column; a text role whose cells may be lists becomes a list column then."""
    mend: str
    """What to do about a cell that does not parse."""
    accepts: tuple[str, ...] = ()
    """Column names besides its own."""
    required: bool = True
    numbered: bool = False
    """Whether `name_1`, `name_2` … are taken too, and all its columns together."""

    def matches(self, column: str) -> bool:
        """Whether a column of that name plays this role without being told to."""
        name = column.strip().casefold()
        if name in {self.name, *self.accepts}:
            return True
        return self.numbered and re.fullmatch(rf"{self.name}_?\d+", name) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of data.

    Attributes:
        name: as in `KINDS` and `--kind`.
        roles: in the order of the table's columns; the first text role holds one text a row.
        example: a valid row, role to value, for messages, documentation and tests.
        meaning: what labels or scores mean, always printed; empty where there are none.
        is_symmetric: whether the two texts of a row may change places.
        drawn_by: role of the text whose rows are drawn together, where only some rows are used:
            together they say more than each alone. Empty where rows are drawn one by one.
        contradicted_by: names of columns that a file of this kind would not have: with one of
            them, the kind has to be chosen by hand.
        whole: what is wrong with a row whose cells are each right, from the row and the first one
            of the data: a role and the problem; None where the row is good. Without it, cells are
            all that can be wrong.
    """

    name: str
    roles: tuple[Role, ...]
    example: dict[str, Any]
    meaning: str = ""
    is_symmetric: bool = False
    drawn_by: str = ""
    contradicted_by: tuple[str, ...] = ()
    whole: Callable[[Mapping[str, Any], Mapping[str, Any]], tuple[str, str] | None] | None = None

    @property
    def required(self) -> tuple[Role, ...]:
        """The roles that every row has."""
        return tuple(role for role in self.roles if role.required)

    def role(self, name: str) -> Role | None:
        """The role of that name, or the numbered one that `name_1` belongs to."""
        exact = next((role for role in self.roles if role.name == name), None)
        numbered = (r for r in self.roles if r.numbered and re.fullmatch(rf"{r.name}_\d+", name))
        return exact or next(numbered, None)


def text_role(name: str, parse: Callable[[Any], Any], **options: Any) -> Role:
    """A role whose cells are texts.

    Args:
        name: of the role.
        parse: one of the text parsers of `kinds/values.py`.
        options: further fields of the role.
    """
    mend = "fill it in, or remove the row; --skip-bad passes over such rows and counts them"
    return Role(name=name, parse=parse, arrow=pa.large_string(), mend=mend, **options)
