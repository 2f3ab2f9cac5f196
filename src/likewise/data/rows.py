"""The rows of one file: bound by role, parsed cell by cell, the bad ones gathered."""

from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from likewise.data.columns import CHUNK_ROWS, Column
from likewise.data.dataset import Note
from likewise.data.files import Rows
from likewise.data.kinds.kind import Kind, Role
from likewise.data.kinds.values import describe
from likewise.data.roles import Binding, bind, late_column
from likewise.errors import SHOWN, InputError, Where
from likewise.registry import Table

PEEKED = 1000  # rows whose fields make the header of a format that has none


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRows:
    """What came out of one file.

    Attributes:
        name: as the user gave it.
        binding: its columns by role.
        table: one column a role that it has.
        row: [n] row numbers in the file.
        first: role to value of its first row, where the kind holds rows to one another.
        notes: what was ignored, dropped or skipped.
    """

    name: str
    binding: Binding
    table: pa.Table
    row: NDArray[np.int64]
    first: Mapping[str, Any]
    notes: tuple[Note, ...]


@dataclass(slots=True)
class Faults:
    """The first twenty bad rows, and how many there were."""

    shown: list[InputError] = field(default_factory=list)
    total: int = 0

    def add(self, error: InputError) -> None:
        """Count one, and keep it if it is among the first."""
        self.total += 1
        if len(self.shown) < SHOWN:
            self.shown.append(error)

    def notes(self) -> tuple[Note, ...]:
        """What `--skip-bad` reports in place of an error."""
        if not self.total:
            return ()
        listed = tuple(Note(text=f"skipped {error.finding}") for error in self.shown)
        return (Note(text="bad rows skipped", count=self.total), *listed)


class _Cell(NamedTuple):
    """How to get one value out of a record."""

    column: str
    parse: Callable[[Any], Any]
    role: Role


def collect_rows(
    name: str,
    rows: Rows,
    *,
    kinds: Table[Kind],
    kind: str | None = None,
    columns: Mapping[str, str] | None = None,
    skip_bad: bool = False,
    score_range: tuple[float, float] | None = None,
) -> FileRows:
    """Bind and parse all rows of one file.

    Args:
        name: of the file.
        rows: from its reader.
        kinds: to choose from.
        kind: chosen by the user.
        columns: role to column, bound by the user.
        skip_bad: turn bad rows into notes.
        score_range: stated by the user; a score outside it is a bad row.

    Raises:
        InputError: the columns fit no kind, or rows are bad, or none are left.
    """
    tolerant = _tolerant(rows)
    peeked = list(islice(tolerant, PEEKED))
    header = list(dict.fromkeys(k for _, r in peeked if isinstance(r, dict) for k in r))
    faults = Faults()
    if not header:
        for _, record in chain(peeked, tolerant):
            if isinstance(record, InputError):
                faults.add(record)
        raise _no_rows(name, faults)
    where = Where(path=name)
    binding = bind(header, kinds=kinds, kind=kind, columns=columns, where=where)
    filling = _Filling(binding, header, faults, score_range)
    for place, record in chain(peeked, tolerant):
        filling.add(place, record)
    if faults.total and (not skip_bad or not filling.row):
        raise InputError.gather(faults.shown, total=faults.total)
    if not filling.row:
        raise _no_rows(name, faults)
    return FileRows(
        name=name,
        binding=binding,
        table=filling.table(),
        row=np.array(filling.row, dtype=np.int64),
        first=filling.first,
        notes=(*_binding_notes(binding, filling), *filling.notes(), *faults.notes()),
    )


def unfitting_row(
    binding: Binding, row: Mapping[str, Any], first: Mapping[str, Any], where: Where
) -> InputError | None:
    """The error for a row that does not fit together, or not to the first one.

    Args:
        binding: of its file.
        row: role to value.
        first: the first row of the data.
        where: the row.
    """
    found = binding.kind.whole(row, first) if binding.kind.whole is not None else None
    if found is None:
        return None
    name, problem = found
    role = binding.kind.role(name)
    place = Where(path=where.path, row=where.row, column=", ".join(binding.columns[name]))
    return InputError(problem, where=place, mend=role.mend if role else "correct the row")


def _tolerant(rows: Rows) -> Rows:
    """The same rows; an error that ends them at a row, such as a cut gzip, is one of them."""
    try:
        yield from rows
    except InputError as error:
        if error.where is None or error.where.row is None or error.where.row == 1:
            raise
        yield error.where, error


def _no_rows(name: str, faults: Faults) -> InputError:
    if faults.total:
        return InputError.gather(faults.shown, total=faults.total)
    return InputError("no rows in it", where=Where(path=name), mend="write at least one row")


class _Filling:
    """Grows the columns of one file row by row."""

    def __init__(
        self,
        binding: Binding,
        header: list[str],
        faults: Faults,
        score_range: tuple[float, float] | None,
    ) -> None:
        self.binding = binding
        self.known = set(header)
        self.late: dict[str, None] = {}
        self.faults = faults
        self.row = array("q")
        self.first: dict[str, Any] = {}
        self.dropped: dict[str, int] = {}
        self._cells: list[_Cell] = []
        self._spans: list[tuple[Role, slice]] = []
        self._columns: list[Column] = []
        for role in binding.kind.roles:
            names = binding.columns.get(role.name, ())
            if not names:
                continue
            parse = role.parse
            if role.name == "score" and score_range:
                parse = partial(_within, parse=role.parse, low=score_range[0], high=score_range[1])
            start = len(self._cells)
            self._cells += [_Cell(name, parse, role) for name in names]
            self._spans.append((role, slice(start, len(self._cells))))
            self._columns.append(Column(role))
        self._is_flat = len(self._cells) == len(self._columns)

    def add(self, where: Where, record: dict[str, Any] | InputError) -> None:
        """Parse one record into the columns, or count it as bad or dropped."""
        if isinstance(record, InputError):
            self.faults.add(record)
            return
        if not record.keys() <= self.known and not self._takes_late(where, record):
            return
        try:
            values = [cell.parse(record.get(cell.column)) for cell in self._cells]
        except ValueError:
            self._explain(where, record)
            return
        if not self._is_flat:
            values = [_merged(values[span]) for _, span in self._spans]
        if self._drops(values) or self._disagrees(where, values):
            return
        for column, value in zip(self._columns, values, strict=True):
            column.pending.append(value)
        self.row.append(where.row or 0)
        if len(self.row) % CHUNK_ROWS == 0:
            for column in self._columns:
                column.flush()

    def table(self) -> pa.Table:
        """The columns, in the kind's order."""
        return pa.table({column.role.name: column.finish() for column in self._columns})

    def notes(self) -> Iterator[Note]:
        """What was dropped."""
        for role, count in self.dropped.items():
            text = f'rows dropped, as their {role} is -1, "-" or missing'
            yield Note(text=text, count=count)

    def _takes_late(self, where: Where, record: dict[str, Any]) -> bool:
        """Whether fields that no row had before can be ignored."""
        for name in record.keys() - self.known:
            error = late_column(self.binding, name)
            if error is not None:
                self.faults.add(InputError(error.problem, where=where, mend=error.mend))
                return False
            self.known.add(name)
            self.late[name] = None
        return True

    def _drops(self, values: list[Any]) -> bool:
        """Whether a row has no label and is left out."""
        for column, value in zip(self._columns, values, strict=True):
            if value is None and column.role.required:
                self.dropped[column.role.name] = self.dropped.get(column.role.name, 0) + 1
                return True
        return False

    def _disagrees(self, where: Where, values: list[Any]) -> bool:
        """Whether the cells of a row, each of them right, do not fit together."""
        if self.binding.kind.whole is None:
            return False
        row = {c.role.name: v for c, v in zip(self._columns, values, strict=True)}
        error = unfitting_row(self.binding, row, self.first or row, where)
        if error is not None:
            self.faults.add(error)
            return True
        self.first = self.first or row
        return False

    def _explain(self, where: Where, record: dict[str, Any]) -> None:
        """Go over a bad record again, with an error for each of its bad cells."""
        for column, parse, role in self._cells:
            place = Where(path=where.path, row=where.row, column=column)
            try:
                parse(record.get(column))
            except ValueError as error:
                problem = str(error) if column in record else "the field is missing"
                self.faults.add(InputError(problem, where=place, mend=role.mend))


def _within(value: Any, *, parse: Callable[[Any], float], low: float, high: float) -> float:
    expected = f"expected a number from {low:g} to {high:g}, found {describe(value)}"
    try:
        number = parse(value)
    except ValueError:
        raise ValueError(expected) from None
    if not low <= number <= high:
        raise ValueError(expected)
    return number


def _merged(values: list[Any]) -> Any:
    """The values of one role's columns as one: itself, or one list of the texts that are there."""
    if len(values) == 1:
        return values[0]
    texts = [t for v in values if v is not None for t in (v if isinstance(v, list) else [v])]
    return texts or None


def _binding_notes(binding: Binding, filling: _Filling) -> Iterator[Note]:
    for role, columns in binding.columns.items():
        if columns != (role,):
            yield Note(text=f"{role} is the column {', '.join(columns)}")
    ignored = (*binding.ignored, *filling.late)
    if ignored:
        yield Note(text=f"columns ignored: {', '.join(ignored)}")
    for column in binding.contradicting:
        yield Note(text=f"every row counts as a positive, whatever its {column} says")
