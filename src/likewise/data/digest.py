"""A hash of an Arrow column's values, however it is cut into chunks."""

import hashlib

import numpy as np
import pyarrow as pa


def column_digest(column: pa.ChunkedArray) -> bytes:
    """SHA-256 over type, lengths and values, read from Arrow's buffers.

    Args:
        column: of numbers, of large strings, or of large lists of them; nulls count as values.
    """
    digest = hashlib.sha256(str(column.type).encode())
    lengths, values = hashlib.sha256(), hashlib.sha256()
    for chunk in column.chunks:
        lengths.update(np.asarray(chunk.is_valid()).tobytes())
        _add(chunk.drop_null(), lengths, values)
    digest.update(lengths.digest())
    digest.update(values.digest())
    return digest.digest()


def _add(chunk: pa.Array, lengths: "hashlib._Hash", values: "hashlib._Hash") -> None:
    """Hash what stands in a chunk without nulls."""
    import pyarrow.compute as pc

    if pa.types.is_large_list(chunk.type):
        lengths.update(np.asarray(pc.list_value_length(chunk), dtype=np.int64).tobytes())
        _add(chunk.flatten(), lengths, values)
    elif pa.types.is_large_string(chunk.type):
        lengths.update(np.asarray(pc.binary_length(chunk), dtype=np.int64).tobytes())
        _, offsets, data = chunk.buffers()
        if len(chunk) and data is not None:
            ends = np.frombuffer(offsets, dtype=np.int64)[
                chunk.offset : chunk.offset + len(chunk) + 1
            ]
            values.update(memoryview(data)[int(ends[0]) : int(ends[-1])])
    else:
        values.update(np.ascontiguousarray(chunk.to_numpy(zero_copy_only=False)).tobytes())
