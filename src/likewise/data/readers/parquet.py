"""Parquet: typed columns; a row's number is its place in the table, from 1."""

from pathlib import Path

import pyarrow as pa

from likewise.data.files import GZIP_MAGIC, Rows, empty_file, opened
from likewise.errors import InputError, Where

BATCH_ROWS = 1024


def read_parquet(path: Path) -> Rows:
    """Yield every row as Python values, a batch of rows in memory at a time.

    Raises:
        InputError: the file is not Parquet, is cut off, repeats a column name or has no rows.
    """
    from pyarrow import parquet

    name = str(path)
    with opened(path) as stream:
        _refuse_other_files(path)
        row = 0
        try:
            file = parquet.ParquetFile(stream)
            _refuse_unusable(file, name)
            for batch in file.iter_batches(batch_size=BATCH_ROWS):
                for record in batch.to_pylist():
                    row += 1
                    yield Where(path=name, row=row), record
        except (pa.ArrowException, OSError) as error:
            problem = f"not a whole Parquet file: {str(error).splitlines()[0]}"
            mend = "write or copy it again; pyarrow and pandas.to_parquet write what is read here"
            where = Where(path=name, row=row + 1 if row else None)
            raise InputError(problem, where=where, mend=mend) from error


def _refuse_other_files(path: Path) -> None:
    with path.open("rb") as raw:
        start = raw.read(4)
    if not start:
        raise empty_file(path)
    if start.startswith(GZIP_MAGIC):
        problem = "a gzip, where Parquet was expected: Parquet compresses inside"
        raise InputError(problem, where=Where(path=str(path)), mend=f"gunzip {path}")


def _refuse_unusable(file: "pa.parquet.ParquetFile", name: str) -> None:
    columns = file.schema_arrow.names
    repeated = sorted({column for column in columns if columns.count(column) > 1})
    if repeated:
        problem = f"more than one column is named {', '.join(map(repr, repeated))}"
        raise InputError(problem, where=Where(path=name), mend="give every column its own name")
    if file.metadata.num_rows == 0:
        problem = f"columns ({', '.join(columns)}) and no rows"
        raise InputError(problem, where=Where(path=name), mend="write at least one row")
