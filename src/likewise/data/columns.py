"""Values of one role, turned to Arrow a chunk at a time, so that Python objects do not pile up."""

from collections.abc import Sequence
from typing import Any, overload

import pyarrow as pa

from likewise.data.kinds.kind import Role

CHUNK_ROWS = 32_768


class Column:
    """A growing Arrow column; a text role turns into a list column when a list comes in."""

    def __init__(self, role: Role) -> None:
        """Start empty, of the role's type."""
        self.role = role
        self.pending: list[Any] = []
        self._chunks: list[pa.Array] = []

    def flush(self) -> None:
        """Move what is pending into an Arrow chunk."""
        values, arrow = self.pending, self.role.arrow
        if any(isinstance(value, list) for value in values):
            values = [[v] if isinstance(v, str) else v for v in values]
            arrow = pa.large_list(arrow)
        if values:
            self._chunks.append(pa.array(values, type=arrow))
        self.pending = []

    def finish(self) -> pa.ChunkedArray:
        """All values, in order."""
        self.flush()
        return unified(self._chunks, self.role.arrow)


class TextColumn(Sequence[str]):
    """The texts of an Arrow column, each a Python string only while it is looked at."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        """Look at a column of texts without nulls."""
        self.column = column

    def __len__(self) -> int:
        return len(self.column)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step != 1:
                return [self[i] for i in range(start, stop, step)]
            texts: list[str] = self.column.slice(start, max(stop - start, 0)).to_pylist()
            return texts
        place = range(len(self))[index]  # from the end too, and IndexError
        return str(self.column[place].as_py())


def unified(chunks: Sequence[pa.Array], arrow: pa.DataType) -> pa.ChunkedArray:
    """Chunks of one type: where one holds lists, the others become lists of one.

    Args:
        chunks: of type `arrow`, or of large lists of it.
        arrow: type of one value.
    """
    lists = pa.large_list(arrow)
    if not any(chunk.type == lists for chunk in chunks):
        return pa.chunked_array(chunks, type=arrow)
    return pa.chunked_array(
        [chunk if chunk.type == lists else _as_lists(chunk) for chunk in chunks], type=lists
    )


def _as_lists(chunk: pa.Array) -> pa.Array:
    values = [None if value is None else [value] for value in chunk.to_pylist()]
    return pa.array(values, type=pa.large_list(chunk.type))
