"""A column that grows: in memory while it is small, in a file that memory maps once it is large."""

import tempfile
from typing import IO, Any

import numpy as np
import pyarrow as pa

BOUND = 2**27  # bytes of a column that stay in memory


class Spill:
    """Takes chunks of one type and gives them back as one column."""

    def __init__(self, *, bound: int = BOUND) -> None:
        """Start empty.

        Args:
            bound: bytes that stay in memory.
        """
        self.bound = bound
        self._held: list[pa.Array] = []
        self._bytes = 0
        self._file: IO[bytes] | None = None
        self._writer: Any = None

    def add(self, chunk: pa.Array) -> None:
        """Take a chunk; once there are too many bytes, everything so far moves to a file."""
        self._held.append(chunk)
        self._bytes += chunk.nbytes
        if self._bytes > self.bound:
            self._write()

    def finish(self, arrow: pa.DataType) -> pa.ChunkedArray:
        """All chunks in order; the file, if there is one, is gone with the last of them.

        Args:
            arrow: type of the column, for one without a chunk.
        """
        if self._file is None:
            return pa.chunked_array(self._held, type=arrow)
        self._write()
        self._writer.close()
        self._file.flush()
        mapped = np.memmap(
            self._file, dtype=np.uint8, mode="r"
        )  # keeps the file open, and so alive
        self._file.close()
        reader = pa.ipc.open_file(pa.BufferReader(pa.py_buffer(mapped)))
        chunks = [reader.get_batch(i).column(0) for i in range(reader.num_record_batches)]
        return pa.chunked_array(chunks, type=arrow)

    def _write(self) -> None:
        for chunk in self._held:
            batch = pa.record_batch([chunk], names=["values"])
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open until it is mapped
                self._writer = pa.ipc.new_file(pa.PythonFile(self._file, mode="w"), batch.schema)
            self._writer.write_batch(batch)
        self._held = []
