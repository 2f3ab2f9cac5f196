from pathlib import Path

import pytest

from likewise.models.kept_file import is_kept, mark_kept, unmark


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
