"""Rows computed into a file: in order, in bounded memory, and going on after an interruption.

The draft lies beside the file with the ending `.partial`, as a `.npy` [n, W] of its full size; a
small JSON beside it says how many rows are done, and of what.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from likewise.errors import InputError, Where
from likewise.progress import progress as show_progress

CHUNK = 8192  # rows between two marks of how far it has come
FORMATS = (".npy", ".parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is computed.

    Attributes:
        rows: n.
        width: W, numbers a row.
        fingerprint: of everything that the result depends on.
        compute: from the places of r rows to their values [r, W], and how many of them were over
            a length limit.
        label: of the progress bar.
        dtype: of the values on disk.
    """

    rows: int
    width: int
    fingerprint: str
    compute: Callable[[slice], tuple[NDArray[np.floating[Any]], int]]
    label: str
    dtype: str = "float32"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A finished draft.

    Attributes:
        path: of the `.npy`.
        values: [n, W], mapped from it.
        cut: rows over the length limit.
        resumed: rows that an earlier, interrupted run had done.
    """

    path: Path
    values: "np.memmap[Any, np.dtype[np.floating[Any]]]"
    cut: int
    resumed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    """How far a draft has come, and what it is a draft of."""

    fingerprint: str
    done: int = 0
    cut: int = 0


def write_draft(out: Path, job: Job, *, progress: bool) -> Draft:
    """Compute all rows, or those that are still to be done; the caller puts the draft in place.

    Args:
        out: the file that the draft is for.
        job: what is computed.
        progress: show a bar.
    """
    path, mark_file = beside(out, ".partial"), beside(out, ".partial.json")
    mark = _Mark(fingerprint=job.fingerprint)
    found = _read_mark(mark_file)
    if found is not None and found.fingerprint == mark.fingerprint and path.is_file():
        mark = found
    resumed = mark.done
    shape, mode = (job.rows, job.width), "r+" if resumed else "w+"
    values = np.lib.format.open_memmap(path, mode=mode, dtype=job.dtype, shape=shape)
    with show_progress(job.label, job.rows, shown=progress) as advance:
        advance(mark.done)
        while mark.done < job.rows:
            rows = slice(mark.done, min(mark.done + CHUNK, job.rows))
            values[rows], cut = job.compute(rows)
            values.flush()
            mark = _Mark(fingerprint=mark.fingerprint, done=rows.stop, cut=mark.cut + cut)
            beside(mark_file, ".new").write_text(json.dumps(asdict(mark)), encoding="utf-8")
            beside(mark_file, ".new").replace(mark_file)
            advance(rows.stop - rows.start)
    return Draft(path=path, values=values, cut=mark.cut, resumed=resumed)


def discard_mark(out: Path) -> None:
    """Forget how far the draft had come, once the file is in its place."""
    beside(out, ".partial.json").unlink(missing_ok=True)


def beside(path: Path, ending: str) -> Path:
    """A hidden file beside `path`."""
    return path.with_name(f".{path.name.lstrip('.')}{ending}")


def refuse_output(
    out: Path, *, what: str, overwrite: bool, formats: Sequence[str] = FORMATS
) -> None:
    """Refuse a file that cannot be written, before any work.

    Args:
        out: the file.
        what: it shall hold, in the plural.
        overwrite: whether a file that is there may be replaced.
        formats: endings that can be written.

    Raises:
        InputError: another ending, an absent folder, or the file exists.
    """
    where = Where(path=str(out))
    if out.suffix not in formats:
        mend = f"name a file that ends in {' or '.join(formats)}"
        raise InputError(f'cannot write {what} to "{out.suffix}"', where=where, mend=mend)
    if out.exists() and not overwrite:
        raise InputError("exists already", where=where, mend="choose another, or add --overwrite")
    if not out.parent.is_dir():
        raise InputError("its folder does not exist", where=where, mend=f"mkdir -p {out.parent}")


def fingerprint(module: nn.Module, texts: Iterable[str], options: Mapping[str, Any]) -> str:
    """A digest of a model's weights, of all texts in their order, and of the options.

    Args:
        module: with all weights.
        texts: what it is applied to.
        options: whatever else changes the result; each needs a `repr` that tells.
    """
    digest = hashlib.sha256(repr(sorted(options.items())).encode())
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().float().cpu().contiguous().numpy().tobytes())
    for text in texts:
        digest.update(len(text).to_bytes(8, "little"))
        digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _read_mark(path: Path) -> _Mark | None:
    try:
        return _Mark(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
