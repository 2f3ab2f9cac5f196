"""Files that a run keeps for when it is resumed: each with a mark of what it was made from.

The mark is a small JSON of the same name. It is written last and taken away first, so that a file
without the right mark is as good as none.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likewise.models.draft_file import Job, beside, discard_mark, write_draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Rows in a file.

    Attributes:
        values: [n, W], mapped from it.
        cut: rows that were over a length limit.
    """

    values: NDArray[np.floating[Any]]
    cut: int


def keep_rows(path: Path, job: Job, *, progress: bool) -> Kept:
    """Compute rows into a `.npy`, or read them where they are there already.

    Killed at any time, the next call goes on from the last mark; another job starts anew.

    Args:
        path: of the file.
        job: what is computed.
        progress: show a bar.
    """
    if not is_kept(path, job.fingerprint):
        path.parent.mkdir(parents=True, exist_ok=True)
        unmark(path)
        path.unlink(missing_ok=True)
        draft = write_draft(path, job, progress=progress)
        # the mark first: if it ends here, the whole draft is still there to be put in place
        mark_kept(path, job.fingerprint, cut=draft.cut)
        draft.path.replace(path)
        discard_mark(path)
    values: NDArray[np.floating[Any]] = np.load(path, mmap_mode="r")
    return Kept(values=values, cut=int(_read(path).get("cut", 0)))


def discard_kept(path: Path) -> None:
    """Remove a kept file and its mark.

    Args:
        path: of the file; it need not be there.
    """
    unmark(path)
    path.unlink(missing_ok=True)


def is_kept(path: Path, fingerprint: str) -> bool:
    """Whether the file is there, and made from what the fingerprint stands for.

    Args:
        path: of the file.
        fingerprint: as `draft_file.fingerprint` gives it.
    """
    return _read(path).get("fingerprint") == fingerprint and path.is_file()


def mark_kept(path: Path, fingerprint: str, *, cut: int = 0) -> None:
    """Say what a finished file was made from.

    Args:
        path: of the file, which has another ending than `.json`.
        fingerprint: of what it was made from.
        cut: rows that were over a length limit.
    """
    mark = path.with_suffix(".json")
    fresh = beside(mark, ".new")
    fresh.write_text(json.dumps({"fingerprint": fingerprint, "cut": cut}), encoding="utf-8")
    fresh.replace(mark)


def unmark(path: Path) -> None:
    """Forget what a file was made from, before another is written in its place."""
    path.with_suffix(".json").unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
