"""What a data set is called in tables."""

from pathlib import PurePosixPath

from likewise.data.dataset import Dataset, RetrievalSet

SPLITS = frozenset({"train", "dev", "test", "valid", "validation", "eval", "data"})


def task_name(data: Dataset | RetrievalSet) -> str:
    """The name of the file without its endings; where that only names a split, its folder too.

    A retrieval set bears its own name, and that of its split where it is not "test".
    """
    if isinstance(data, RetrievalSet):
        return data.name if data.split == "test" else f"{data.name}/{data.split}"
    if not data.sources:
        return data.kind
    source = data.sources[0].replace("\\", "/")
    if source.startswith("hub:"):
        return source.removeprefix("hub:")
    path = PurePosixPath(source)
    stem = path.name.split(".")[0] or path.name
    folder = path.parent.name
    return f"{folder}/{stem}" if stem in SPLITS and folder not in {"", ".", ".."} else stem
