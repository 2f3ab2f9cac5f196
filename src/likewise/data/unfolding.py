"""Rows whose cells are lists, as MTEB's older files have them: one row an element."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from likewise.data.dataset import Note
from likewise.data.files import Rows
from likewise.data.kinds.values import describe
from likewise.errors import InputError, Where

# The columns of each layout, by any of their names: a set to cluster, labelled pairs in one row.
LAYOUTS: Final = (
    (("sentences",), ("labels",)),
    (("sentence1", "sent1"), ("sentence2", "sent2"), ("labels", "label")),
)
MEND = "write lists of one length, an element of each for every row"


class Unfolding:
    """Rows as they come, or one row an element where the first of them holds lists."""

    def __init__(self, rows: Rows) -> None:
        """Wrap the rows of one file."""
        self._given = rows
        self._folded = 0
        self._elements = 0

    def rows(self) -> Rows:
        """Yield the rows; the elements of one row all stand at its place.

        A row that is not made of lists of one length is yielded as its error.
        """
        for where, record in self._given:
            columns = () if isinstance(record, InputError) else _columns_of_lists(record)
            if columns and not isinstance(record, InputError):
                yield from self._unfolded(columns, where, record)
                for place, later in self._given:
                    yield from self._unfolded(columns, place, later)
                return
            yield where, record
            if not isinstance(record, InputError):
                break
        yield from self._given  # the first record decides; the others cost nothing here

    def notes(self) -> tuple[Note, ...]:
        """How many rows of lists became how many, once the rows have been read."""
        if not self._folded:
            return ()
        text = f"rows of lists made into one row an element, {self._elements:,} in all"
        return (Note(text=text, count=self._folded),)

    def _unfolded(
        self, columns: tuple[str, ...], where: Where, record: dict[str, Any] | InputError
    ) -> Iterator[tuple[Where, dict[str, Any] | InputError]]:
        error = record if isinstance(record, InputError) else _error(columns, where, record)
        if error is not None or isinstance(record, InputError):
            yield where, error or record
            return
        self._folded += 1
        for cells in zip(*(record[column] for column in columns), strict=True):
            self._elements += 1
            yield where, {**record, **dict(zip(columns, cells, strict=True))}


def _columns_of_lists(record: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns of the layout that a record has, if all of them hold lists."""
    spelled = {name.strip().casefold(): name for name in record}
    for layout in LAYOUTS:
        found = [next((spelled[n] for n in names if n in spelled), None) for names in layout]
        columns = tuple(name for name in found if name is not None)
        if len(columns) == len(layout) and all(isinstance(record[c], list) for c in columns):
            return columns
    return ()


def _error(columns: tuple[str, ...], where: Where, record: Mapping[str, Any]) -> InputError | None:
    first = record.get(columns[0])
    for column in columns:
        cell, place = record.get(column), Where(path=where.path, row=where.row, column=column)
        if not isinstance(cell, list) or not cell:
            found = "an empty one" if cell == [] else describe(cell)
            problem = f"expected a list, as in the rows before, found {found}"
            return InputError(problem, where=place, mend=MEND)
        if isinstance(first, list) and len(cell) != len(first):
            problem = f"a list of {len(cell)}, while {columns[0]} has {len(first)}"
            return InputError(problem, where=place, mend=MEND)
    return None
