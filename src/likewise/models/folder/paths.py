"""Paths that a file of the folder names: never outside the folder."""

from pathlib import Path

from likewise.errors import InputError, Where


def inside(folder: Path, name: str, *, where: Where) -> Path:
    """`folder / name`, if that lies in the folder.

    Args:
        folder: of the model.
        name: relative path as a file of the folder gives it.
        where: that file.

    Raises:
        InputError: the path is absolute, or climbs out of the folder.
    """
    path = folder / name
    climbs = ".." in Path(name).parts or "\\" in name or Path(name).is_absolute()
    if climbs:
        problem = f'"{name}" points outside the model folder'
        mend = "do not use this model: its author may want to read your other files"
        raise InputError(problem, mend=mend, where=where)
    return path
