"""Files that a run keeps for when it is resumed: each with a mark of what it was made from.

The mark is a small JSON of the same name. It is written last and taken away first, so that a file
without the right mark is as good as none.
"""

import json
from pathlib import Path

from likewise.models.draft_file import beside


def is_kept(path: Path, fingerprint: str) -> bool:
    """Whether the file is there, and made from what the fingerprint stands for.

    Args:
        path: of the file.
        fingerprint: as `draft_file.fingerprint` gives it.
    """
    try:
        found = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("fingerprint") == fingerprint and path.is_file()


def mark_kept(path: Path, fingerprint: str) -> None:
    """Say what a finished file was made from.

    Args:
        path: of the file, which has another ending than `.json`.
        fingerprint: of what it was made from.
    """
    mark = path.with_suffix(".json")
    fresh = beside(mark, ".new")
    fresh.write_text(json.dumps({"fingerprint": fingerprint}), encoding="utf-8")
    fresh.replace(mark)


def unmark(path: Path) -> None:
    """Forget what a file was made from, before another is written in its place."""
    path.with_suffix(".json").unlink(missing_ok=True)
