"""One format a file: each yields its rows with their places, in constant memory."""

from collections.abc import Callable
from pathlib import Path

from likewise.data.files import Rows
from likewise.data.readers.delimited import read_csv, read_tsv
from likewise.data.readers.jsonl import read_jsonl
from likewise.data.readers.parquet import read_parquet
from likewise.data.readers.text import read_text
from likewise.registry import Table

READERS: Table[Callable[[Path], Rows]] = Table(
    "likewise.readers",
    {
        ".jsonl": read_jsonl,
        ".csv": read_csv,
        ".tsv": read_tsv,
        ".parquet": read_parquet,
        ".txt": read_text,
    },
)

__all__ = ["READERS"]
