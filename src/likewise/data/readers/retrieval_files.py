"""Where the parts of a retrieval set lie: in the BEIR layout, or as MTEB's data sets have them."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from likewise.data.files import Rows
from likewise.data.readers.delimited import read_tsv
from likewise.data.readers.jsonl import read_jsonl
from likewise.data.readers.parquet import read_parquet
from likewise.errors import InputError, Where

FORMATS: Final[dict[str, Callable[[Path], Rows]]] = {
    ".jsonl": read_jsonl,
    ".parquet": read_parquet,
    ".tsv": read_tsv,
}
TEXT_FORMATS: Final = (".jsonl", ".jsonl.gz", ".parquet")
JUDGEMENT_FORMATS: Final = (".tsv", ".tsv.gz", *TEXT_FORMATS)
JUDGEMENT_FOLDERS: Final = ("qrels", "data", "default")
SHARD = re.compile(r"-\d+-of-\d+$")


def find_texts(folder: Path, name: str, split: str) -> tuple[Path, ...]:
    """The file or files of the queries or of the corpus; none where there are none.

    Args:
        folder: of the set.
        name: "queries" or "corpus".
        split: of which they are, where a folder holds those of several.

    Raises:
        InputError: the folder holds several splits, and none is the one asked for.
    """
    for end in TEXT_FORMATS:
        if (folder / f"{name}{end}").is_file():
            return (folder / f"{name}{end}",)
    parts = _by_split(folder / name, TEXT_FORMATS)
    if len(parts) <= 1:
        return next(iter(parts.values()), ())
    for wanted in (split, name):
        if wanted in parts:
            return parts[wanted]
    problem = f'holds files of {", ".join(parts)}, and none of "{split}"'
    mend = "choose one: " + " or ".join(f"--split {part}" for part in parts)
    raise InputError(problem, where=Where(path=str(folder / name)), mend=mend)


def find_judgements(folder: Path, split: str) -> tuple[Path, ...]:
    """The file or files of a split's judgements.

    Args:
        folder: of the set; it holds `qrels/SPLIT.tsv`, `qrels.SPLIT.tsv` or `qrels.tsv`; or, also
            in `data` or `default`, SPLIT as JSONL or as Parquet in one part or several.
        split: of the judgements.

    Raises:
        InputError: there are none; names the splits that are there.
    """
    found = _judged_splits(folder)
    if split in found:
        return found[split]
    for end in JUDGEMENT_FORMATS:
        if (folder / f"qrels{end}").is_file():
            return (folder / f"qrels{end}",)
    mend = "write qrels/test.tsv with the columns query-id, corpus-id, score"
    if found:
        mend = "choose one that is there: " + " or ".join(f"--split {s}" for s in sorted(found))
    problem = f'there are no judgements for the split "{split}"'
    raise InputError(problem, where=Where(path=str(folder)), mend=mend)


def read_rows(paths: tuple[Path, ...]) -> Rows:
    """The rows of several files, one file after the other."""
    for path in paths:
        yield from FORMATS[Path(path.name.removesuffix(".gz")).suffix](path)


def _judged_splits(folder: Path) -> dict[str, tuple[Path, ...]]:
    """Split to files, the BEIR layout first."""
    found = {
        split.removeprefix("qrels."): files
        for split, files in _by_split(folder, JUDGEMENT_FORMATS).items()
        if split.startswith("qrels.")
    }
    for name in reversed(JUDGEMENT_FOLDERS):
        found = {**found, **_by_split(folder / name, JUDGEMENT_FORMATS)}
    return found


def _by_split(folder: Path, ends: tuple[str, ...]) -> dict[str, tuple[Path, ...]]:
    """The files of a folder by what they are called before their number; of one format each."""
    found: dict[str, tuple[Path, ...]] = {}
    for end in ends:
        named: dict[str, tuple[Path, ...]] = {}
        for path in _files(folder, end):
            split = SHARD.sub("", path.name.removesuffix(end))
            named[split] = (*named.get(split, ()), path)
        found = {**named, **found}
    return found


def _files(folder: Path, end: str) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(p for p in folder.iterdir() if p.name.endswith(end) and p.is_file())
