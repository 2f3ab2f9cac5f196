"""From a path to checked rows: one way in for every format and kind."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from likewise.data.columns import unified
from likewise.data.dataset import Dataset, Note, RetrievalSet
from likewise.data.files import Rows, no_such_file
from likewise.data.kinds import KINDS
from likewise.data.kinds.kind import Kind
from likewise.data.readers import READERS
from likewise.data.readers.beir import looks_like_beir, read_beir
from likewise.data.readers.hub import read_hub
from likewise.data.readers.text import read_lines
from likewise.data.roles import bind
from likewise.data.rows import FileRows, collect_rows, unfitting_row
from likewise.data.scales import infer_range
from likewise.data.unfolding import Unfolding
from likewise.errors import InputError, Where

HUB = "hub:"
LINES = ".txt"


def read(
    source: str | Path | Sequence[str | Path],
    *,
    kind: str | None = None,
    columns: Mapping[str, str] | None = None,
    skip_bad: bool = False,
    score_range: tuple[float, float] | None = None,
    split: str = "test",
) -> Dataset | RetrievalSet:
    """Read a data set, bind its columns by role and check every row.

    Args:
        source: a CSV, TSV, JSONL (each also .gz), Parquet or .txt file; a folder in the BEIR
            layout, or in that of MTEB's data sets; "hub:ORG/NAME[:CONFIG][:SPLIT]"; or several
            files of one kind, one after the other.
        kind: a name in `KINDS`, where the columns fit more than one.
        columns: role to column name, where the names are not the accepted ones.
        skip_bad: bad rows are skipped, counted and listed in the notes, and are no error.
        score_range: lowest and highest possible score; None infers it over all rows.
        split: of the judgements, for a retrieval folder.

    Returns:
        The rows with their places, and notes on what was decided, ignored or dropped.

    Raises:
        InputError: anything is wrong; names file, row and column, up to twenty of them.
    """
    sources = [source] if isinstance(source, str | Path) else list(source)
    if not sources:
        raise InputError("no data is named", mend="give a file, a folder or hub:ORG/NAME")
    if len(sources) == 1 and _is_folder(sources[0]):
        return _read_folder(Path(sources[0]), kind=kind, split=split, skip_bad=skip_bad)
    files: list[FileRows] = []
    for one in sources:
        name, rows = _open_rows(one)
        plain = None if columns or kind not in {None, "texts"} else _plain(name)
        unfolding = Unfolding(rows)
        file = plain or collect_rows(
            name,
            unfolding.rows(),
            kinds=KINDS,
            kind=kind,
            columns=columns,
            skip_bad=skip_bad,
            score_range=score_range,
        )
        files.append(replace(file, notes=(*unfolding.notes(), *file.notes)))
    return _joined(files, score_range)


def _is_folder(source: str | Path) -> bool:
    return not str(source).startswith(HUB) and Path(source).is_dir()


def _read_folder(path: Path, *, kind: str | None, split: str, skip_bad: bool) -> RetrievalSet:
    where = Where(path=str(path))
    if kind not in {None, "retrieval"}:
        problem = f"a folder is read as retrieval data, not as {kind}"
        raise InputError(problem, where=where, mend="name the file in it")
    if not looks_like_beir(path, split):
        names = sorted(p.name for p in path.iterdir())
        readable = [name for name in names if _suffix(name) in READERS]
        mend = "a retrieval folder holds queries.jsonl, corpus.jsonl and qrels/test.tsv"
        if readable:
            mend = f"name a file in it: {', '.join(str(path / name) for name in readable[:5])}"
        raise InputError("a folder without queries.jsonl or corpus.jsonl", where=where, mend=mend)
    return read_beir(path, split=split, skip_bad=skip_bad)


def _suffix(name: str) -> str:
    path = Path(name)
    suffix = path.with_suffix("").suffix if path.suffix.lower() == ".gz" else path.suffix
    return suffix.lower()


def _open_rows(source: str | Path) -> tuple[str, Rows]:
    name = str(source)
    if name.startswith(HUB):
        return name, read_hub(name)
    path = Path(source)
    if not path.exists():
        raise no_such_file(path)
    if path.is_dir():
        mend = "give a retrieval folder alone, without other data"
        raise InputError("a folder among files", where=Where(path=name), mend=mend)
    suffix = _suffix(name)
    if suffix not in READERS:
        found = f"{suffix} files are not read here" if suffix else "the file's name has no ending"
        mend = f"write it as one of {', '.join(READERS)}, and name it so"
        if suffix in {".xlsx", ".xls", ".ods"}:
            mend = "save it from the spreadsheet as CSV UTF-8"
        raise InputError(found, where=Where(path=name), mend=mend)
    return name, READERS[suffix](path)


def _plain(name: str) -> FileRows | None:
    """A whole file of texts at once; None for other formats, and where anything is wrong."""
    if name.startswith(HUB) or _suffix(name) != LINES:
        return None
    found = read_lines(Path(name))
    if found is None:
        return None
    return FileRows(
        name=name,
        binding=bind(["text"], kinds=KINDS, where=Where(path=name)),
        table=pa.table({"text": found.texts}),
        row=found.row,
        first={},
        notes=(),
    )


def _joined(files: Sequence[FileRows], score_range: tuple[float, float] | None) -> Dataset:
    kind = files[0].binding.kind
    for file in files[1:]:
        if file.binding.kind.name != kind.name:
            problem = f"of kind {file.binding.kind.name}, while {files[0].name} is {kind.name}"
            mend = "give files of one kind, or choose with --kind"
            raise InputError(problem, where=Where(path=file.name), mend=mend)
        place = Where(path=file.name, row=int(file.row[0]))
        error = unfitting_row(file.binding, file.first, files[0].first, place)
        if error is not None:
            raise error
    lengths = [len(file.row) for file in files]
    names = (file.name if len(files) > 1 else "" for file in files)
    notes = [
        replace(note, text=f"{name}: {note.text}" if name else note.text)
        for name, file in zip(names, files, strict=True)
        for note in file.notes
    ]
    data = Dataset(
        kind=kind.name,
        table=_concatenated([file.table for file in files], kind),
        sources=tuple(file.name for file in files),
        source=np.repeat(np.arange(len(files), dtype=np.int32), lengths),
        row=np.concatenate([file.row for file in files]),
        columns={
            r: ", ".join(c) for file in reversed(files) for r, c in file.binding.columns.items()
        },
    )
    if kind.meaning:
        notes.append(Note(text=kind.meaning))
    if "score" not in data.roles:
        return replace(data, notes=tuple(notes))
    chosen = score_range or infer_range(data.numbers("score"))
    how = "stated" if score_range else f"inferred over all {len(data):,} rows"
    notes.append(Note(text=f"scores from {chosen[0]:g} to {chosen[1]:g}, {how}"))
    return replace(data, notes=tuple(notes), score_range=chosen)


def _concatenated(tables: Sequence[pa.Table], kind: Kind) -> pa.Table:
    """One table of all: a role that a file lacks is null there."""
    columns = {}
    for role in kind.roles:
        if any(role.name in table.column_names for table in tables):
            chunks = [
                chunk
                for table in tables
                for chunk in (
                    table.column(role.name).chunks
                    if role.name in table.column_names
                    else [pa.nulls(table.num_rows, type=role.arrow)]
                )
            ]
            columns[role.name] = unified(chunks, role.arrow)
    return pa.table(columns)
