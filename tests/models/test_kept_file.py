import shutil
from pathlib import Path

import numpy as np
import pytest

from likewise.models import draft_file
from likewise.models.draft_file import Job, beside
from likewise.models.kept_file import discard_kept, is_kept, keep_rows, mark_kept, unmark


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "numbers.npy"
    path.write_bytes(b"numbers")
    return path


def test_a_file_is_kept_once_it_is_marked_and_only_for_what_it_was_made_from(file: Path):
    assert not is_kept(file, "a")
    mark_kept(file, "a")
    assert is_kept(file, "a")
    assert not is_kept(file, "b")
    assert file.read_bytes() == b"numbers"


def test_another_mark_takes_the_place_of_the_first(file: Path):
    mark_kept(file, "a")
    mark_kept(file, "b")
    assert not is_kept(file, "a")
    assert is_kept(file, "b")
    assert sorted(path.name for path in file.parent.iterdir()) == ["numbers.json", "numbers.npy"]


def test_a_file_without_its_mark_is_as_good_as_none(file: Path):
    mark_kept(file, "a")
    unmark(file)
    unmark(file)
    assert not is_kept(file, "a")


def test_a_mark_without_its_file_is_as_good_as_none(file: Path):
    mark_kept(file, "a")
    file.unlink()
    assert not is_kept(file, "a")


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"fingerprint": 3}', "null"])
def test_a_broken_mark_is_no_mark(broken: str, file: Path):
    file.with_suffix(".json").write_text(broken)
    assert not is_kept(file, "a")


def job(seen: list[slice], *, prints: str = "one", dtype: str = "float32") -> Job:
    """Row i is [i, 2 i]; every row is over some limit."""

    def compute(rows: slice) -> tuple[np.ndarray, int]:
        seen.append(rows)
        places = np.arange(rows.start, rows.stop)
        return np.stack([places, 2.0 * places], axis=1), len(places)

    return Job(rows=5, width=2, fingerprint=prints, compute=compute, label="x", dtype=dtype)


def test_rows_are_computed_once_and_mapped_from_their_file(tmp_path: Path):
    seen: list[slice] = []
    for _ in range(2):
        kept = keep_rows(tmp_path / "new" / "n.npy", job(seen), progress=False)
        assert isinstance(kept.values, np.memmap)
        assert kept.values.tolist() == [[i, 2 * i] for i in range(5)]
        assert kept.cut == 5
    assert seen == [slice(0, 5)]
    names = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert names == ["n.json", "n.npy"]
    discard_kept(tmp_path / "new" / "n.npy")
    assert list((tmp_path / "new").iterdir()) == []


def test_another_job_takes_the_place_of_the_first(tmp_path: Path):
    seen: list[slice] = []
    for prints, dtype in (("one", "float32"), ("two", "float64"), ("three", "float16")):
        again = job(seen, prints=prints, dtype=dtype)
        assert keep_rows(tmp_path / "n.npy", again, progress=False).values.dtype == dtype
    assert len(seen) == 3


def test_killed_before_the_last_move_nothing_is_computed_again(tmp_path: Path, monkeypatch):
    path, seen = tmp_path / "n.npy", []
    draft_mark = beside(path, ".partial.json")
    monkeypatch.setattr(draft_file, "CHUNK", 2)
    monkeypatch.setattr("likewise.models.kept_file.discard_mark", lambda out: None)
    keep_rows(path, job(seen), progress=False)
    shutil.move(path, beside(path, ".partial"))  # as it was before the move
    assert draft_mark.is_file()
    kept = keep_rows(path, job(seen), progress=False)
    assert seen == [slice(0, 2), slice(2, 4), slice(4, 5)]
    assert kept.values[4].tolist() == [4, 8]
