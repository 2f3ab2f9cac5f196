"""Put a folder in its place in one step: written beside it, synced, renamed or exchanged."""

import ctypes
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from likewise.errors import InputError, Where

AT_FDCWD = -100  # linux/fcntl.h: paths are relative to the working folder
RENAME_EXCHANGE = 2  # linux/fs.h
MODEL_FILES = ("modules.json", "config.json")  # one of them tells that a folder is a model


@contextmanager
def replace_folder(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give an empty folder to fill, and put it at `path` when the block ends well.

    Args:
        path: where the folder shall be; its parents are made.
        overwrite: take the place of an older model folder.

    Yields:
        A new folder beside `path`. If the block raises, it is removed and `path` is as it was.

    Raises:
        InputError: something is at `path` already, and `overwrite` is False or it is no model.
    """
    target = path.resolve()
    refuse_taken(target, overwrite=overwrite)
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    fresh.chmod(0o777 & ~_umask())  # mkdtemp makes it private
    try:
        yield fresh
        for file in fresh.rglob("*"):
            if file.is_file():  # safetensors makes its files private
                file.chmod(0o666 & ~_umask())
        _sync(fresh)
        refuse_taken(target, overwrite=overwrite)  # someone may have been faster
        _put(fresh, target)
        _sync_one(target.parent)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def refuse_taken(path: Path, *, overwrite: bool) -> None:
    """Raise if a folder may not be written at `path`; an empty folder may be filled.

    Raises:
        InputError: something is there, and `overwrite` is False or it is no model folder.
    """
    where = Where(path=str(path))
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not path.is_dir():
        raise InputError("a file is here already", mend="choose another folder", where=where)
    if not any((path / name).exists() for name in MODEL_FILES):
        problem = "a folder is here already, and it holds no model"
        raise InputError(problem, mend="choose another folder", where=where)
    if not overwrite:
        problem = "a model is here already"
        mend = "choose another folder, or overwrite it: --overwrite (in Python overwrite=True)"
        raise InputError(problem, mend=mend, where=where)


def _put(fresh: Path, target: Path) -> None:
    """Rename, or exchange with what is there, which then lies at `fresh`."""
    if not target.exists() or not any(target.iterdir()):
        fresh.replace(target)
    elif not _exchange(fresh, target):
        old = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-old-"))
        target.replace(old)
        try:
            fresh.replace(target)
        except OSError:
            old.replace(target)
            raise
        shutil.rmtree(old, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step where the system can (Linux), so that none is ever absent."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    names = os.fsencode(one), os.fsencode(other)
    done = rename(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE)
    return int(done) == 0


def _sync(folder: Path) -> None:
    for path in folder.rglob("*"):
        _sync_one(path)
    _sync_one(folder)


def _sync_one(path: Path) -> None:
    try:
        handle = os.open(path, os.O_RDONLY)
    except PermissionError:  # Windows opens no folders
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    current = os.umask(0o022)  # it can only be read by setting it
    os.umask(current)
    return current
