"""Local files as the data of one of MTEB's tasks, in the layout of its type."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from likewise.data.dataset import Dataset, RetrievalSet
from likewise.data.files import no_such_file
from likewise.data.reading import read
from likewise.errors import InputError, Where
from likewise.evaluation.mteb_layouts import LAYOUTS, Layout
from likewise.extras import require

ENDS = (".jsonl", ".jsonl.gz", ".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")
OTHER_NAMES = {"validation": ("dev",), "dev": ("validation",)}


def load_local(task: Any, path: Path, *, skip_bad: bool = False) -> tuple[str, ...]:
    """Give a task of MTEB its data from here, in place.

    The rows are taken as the task's own: what it does to the hub's data before it measures is not
    done to them. The revision in its results says that they are local, and which.

    Args:
        task: of MTEB, without data.
        path: a folder with a file a split (test.csv, validation.jsonl, data/test-….parquet), for a
            retrieval task one as `likewise.read` takes it; of a task in several languages one
            folder each; or, for a task that learns from nothing, the one file to measure on.
        skip_bad: bad rows are skipped and counted.

    Returns:
        What a reader of the scores should know.

    Raises:
        InputError: a file, split or column is missing or wrong, or this type of task has no layout.
    """
    if not path.exists():
        raise no_such_file(path)
    layout = _layout_of(task)
    folders = _subset_folders(task, path)
    read_in = {
        subset: _splits(task, layout, folder, skip_bad=skip_bad)
        for subset, folder in folders.items()
    }
    splits = [s for s in task.eval_splits if all(s in found for found in read_in.values())]
    notes = _notes(task, read_in, splits)
    task.filter_eval_splits(splits)
    task.hf_subsets = list(folders)
    task.dataset = {subset: layout.convert(task, found) for subset, found in read_in.items()}
    everything = [data for found in read_in.values() for data in found.values()]
    task.metadata = task.metadata.model_copy(
        update={"dataset": {"path": path.resolve().name, "revision": _revision(everything)}}
    )
    task.data_loaded = True
    return notes


def _layout_of(task: Any) -> Layout:
    layout = LAYOUTS.get(task.metadata.type)
    if layout is None or task.metadata.modalities != ["text"]:
        problem = f"a task of the type {task.metadata.type} is not read from local files"
        raise InputError(problem, mend=f"there are layouts for {', '.join(LAYOUTS)}")
    return layout


def _subset_folders(task: Any, path: Path) -> dict[str, Path]:
    if not task.metadata.is_multilingual:
        return {"default": path}
    found = {subset: path / subset for subset in task.hf_subsets if (path / subset).is_dir()}
    if not found:
        problem = f"no folder of a language of {task.metadata.name} is here"
        mend = f"make one a language: {', '.join(task.hf_subsets[:5])}"
        raise InputError(problem, where=Where(path=str(path)), mend=mend)
    return found


def _splits(task: Any, layout: Layout, path: Path, *, skip_bad: bool) -> dict[str, Any]:
    """The rows of every split that is there."""
    wanted = list(task.eval_splits)
    if layout.trains and task.train_split not in wanted:
        wanted.append(task.train_split)
    if path.is_file() and len(wanted) > 1:
        problem = f"one file, while {task.metadata.name} needs {' and '.join(wanted)}"
        mend = f"give a folder with {', '.join(f'{split}.csv' for split in wanted)}"
        raise InputError(problem, where=Where(path=str(path)), mend=mend)
    found = {split: _read(layout, path, split, skip_bad=skip_bad) for split in wanted}
    there = {split: data for split, data in found.items() if data is not None}
    measured = [split for split in task.eval_splits if split in there]
    missing = [] if measured else list(task.eval_splits)
    if layout.trains and task.train_split not in there:
        missing.append(task.train_split)
    if missing:
        problem = f"there is no file of the split {' or '.join(dict.fromkeys(missing))}"
        mend = (
            f"name it {missing[0]}.csv, .tsv, .jsonl or .parquet, with the columns {layout.columns}"
        )
        raise InputError(problem, where=Where(path=str(path)), mend=mend)
    return there


def _read(
    layout: Layout, path: Path, split: str, *, skip_bad: bool
) -> Dataset | RetrievalSet | None:
    if layout.kind == "retrieval":
        if path.is_file():
            mend = "give the folder with corpus, queries and qrels"
            raise InputError("one file of a retrieval set", where=Where(path=str(path)), mend=mend)
        return read(path, split=split, skip_bad=skip_bad)
    files = [path] if path.is_file() else _files(path, split)
    if not files:
        return None
    return read(files, kind=layout.kind, columns=layout.bound, skip_bad=skip_bad)


def _files(folder: Path, split: str) -> list[Path]:
    """The files of a split, by the first of its names that there are any of."""
    for name in (split, *OTHER_NAMES.get(split, ())):
        for place in (folder, folder / "data"):
            whole = [place / f"{name}{end}" for end in ENDS if (place / f"{name}{end}").is_file()]
            shards = sorted(place.glob(f"{name}-*-of-*.parquet"))
            inside = sorted(p for p in place.glob(f"{name}/*") if p.name.endswith(ENDS))
            if whole or shards or inside:
                return whole[:1] or shards or inside
    return []


def _notes(
    task: Any, read_in: Mapping[str, Mapping[str, Any]], splits: Sequence[str]
) -> tuple[str, ...]:
    notes = [
        f"{split}: {note}"
        for found in read_in.values()
        for split, data in found.items()
        for note in data.notes
    ]
    left_out = [split for split in task.eval_splits if split not in splits]
    if left_out:
        notes.append(f"the split {', '.join(left_out)} is not here, and not measured")
    changes = require("mteb.abstasks", extra="mteb").AbsTask.dataset_transform
    if type(task).dataset_transform is not changes:
        notes.append(
            "what the task does to the hub's data first (dataset_transform) was not done "
            "to these rows"
        )
    return tuple(notes)


def _revision(everything: Iterable[Dataset | RetrievalSet]) -> str:
    digest = hashlib.sha256("".join(data.fingerprint for data in everything).encode())
    return f"local-{digest.hexdigest()[:16]}"
