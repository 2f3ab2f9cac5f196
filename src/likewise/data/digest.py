"""A hash of an Arrow column's values, however it is cut into chunks."""

import hashlib

import numpy as np
import pyarrow as pa


def column_digest(column: pa.ChunkedArray) -> bytes:
    """SHA-256 over type, lengths and values, read from Arrow's buffers.

    Args:
        column: of numbers, of large strings, or of large lists of them; nulls count as values.
    """
    import pyarrow.compute as pc

    digest = hashlib.sha256(str(column.type).encode())
    # one hash for each part: in a single one, the cuts between chunks would show
    valid, lists, lengths, values = parts = [hashlib.sha256() for _ in range(4)]
    for chunk in column.chunks:
        valid.update(np.asarray(chunk.is_valid()).tobytes())
        present = chunk.drop_null()
        if pa.types.is_large_list(chunk.type):
            lists.update(np.asarray(pc.list_value_length(present), dtype=np.int64).tobytes())
            present = present.flatten()
        _add(present, lengths, values)
    for part in parts:
        digest.update(part.digest())
    return digest.digest()


def _add(chunk: pa.Array, lengths: "hashlib._Hash", values: "hashlib._Hash") -> None:
    """Hash a chunk of texts or numbers without nulls."""
    import pyarrow.compute as pc

    if pa.types.is_large_string(chunk.type):
        lengths.update(np.asarray(pc.binary_length(chunk), dtype=np.int64).tobytes())
        _, offsets, data = chunk.buffers()
        if len(chunk) and data is not None:
            ends = np.frombuffer(offsets, dtype=np.int64)[
                chunk.offset : chunk.offset + len(chunk) + 1
            ]
            values.update(memoryview(data)[int(ends[0]) : int(ends[-1])])
    else:
        values.update(np.ascontiguousarray(chunk.to_numpy(zero_copy_only=False)).tobytes())
