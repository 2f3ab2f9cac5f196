import os
import stat
from pathlib import Path

import pytest

from likewise.errors import InputError
from likewise.models.folder import replace
from likewise.models.folder.replace import refuse_taken, replace_folder


def fill(folder: Path, content: str) -> None:
    (folder / "config.json").write_text(content)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_folder_appears_whole_with_its_parents(tmp_path: Path):
    target = tmp_path / "a" / "b"
    with replace_folder(target) as fresh:
        fill(fresh, "new")
        assert not target.exists()
    assert (target / "config.json").read_text() == "new"
    assert names(tmp_path / "a") == {"b"}


def test_an_empty_folder_is_filled(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    with replace_folder(tmp_path / "empty") as fresh:
        fill(fresh, "new")
    assert names(tmp_path) == {"empty"}


def fail_half_way(target: Path) -> None:
    with replace_folder(target, overwrite=True) as fresh:
        fill(fresh, "half")
        raise RuntimeError


def test_a_failure_leaves_everything_as_it_was(tmp_path: Path):
    with replace_folder(tmp_path / "old") as fresh:
        fill(fresh, "old")
    for name in ("new", "old"):
        with pytest.raises(RuntimeError):
            fail_half_way(tmp_path / name)
    assert names(tmp_path) == {"old"}
    assert (tmp_path / "old" / "config.json").read_text() == "old"


@pytest.mark.parametrize("can_exchange", [True, False], ids=["in one step", "in two"])
def test_an_older_model_is_replaced_and_nothing_of_it_is_left(
    tmp_path: Path, can_exchange: bool, monkeypatch: pytest.MonkeyPatch
):
    if not can_exchange:  # as on a system without that call
        monkeypatch.setattr(replace.ctypes, "CDLL", lambda *args, **options: object())
    for content in ("old", "new"):
        with replace_folder(tmp_path / "model", overwrite=True) as fresh:
            fill(fresh, content)
            (fresh / content).touch()
    assert names(tmp_path) == {"model"}
    assert names(tmp_path / "model") == {"config.json", "new"}
    assert (tmp_path / "model" / "config.json").read_text() == "new"


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="watches a folder as Linux does")
def test_a_reader_with_the_folder_open_keeps_the_old_model(tmp_path: Path):
    with replace_folder(tmp_path / "model") as fresh:
        fill(fresh, "old")
    handle = os.open(tmp_path / "model" / "config.json", os.O_RDONLY)
    with replace_folder(tmp_path / "model", overwrite=True) as fresh:
        fill(fresh, "new")
    assert os.read(handle, 9) == b"old"
    os.close(handle)


def test_a_model_is_not_overwritten_unasked(tmp_path: Path):
    fill(tmp_path, "mine")
    with pytest.raises(InputError, match="a model is here already") as caught:
        refuse_taken(tmp_path, overwrite=False)
    assert "--overwrite" in caught.value.mend
    refuse_taken(tmp_path, overwrite=True)


def test_a_folder_that_is_no_model_is_never_overwritten(tmp_path: Path):
    (tmp_path / "thesis.tex").touch()
    for overwrite in (False, True):
        with (
            pytest.raises(InputError, match="it holds no model"),
            replace_folder(tmp_path, overwrite=overwrite),
        ):
            pass
    assert names(tmp_path) == {"thesis.tex"}


def test_a_file_is_never_overwritten(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="a file is here already"):
        refuse_taken(tmp_path / "file", overwrite=True)


def test_whoever_came_first_is_not_overwritten(tmp_path: Path):
    target = tmp_path / "model"

    def lose_the_race() -> None:
        with replace_folder(target) as fresh:
            fill(fresh, "late")
            target.mkdir()
            fill(target, "early")

    with pytest.raises(InputError, match="already"):
        lose_the_race()
    assert (target / "config.json").read_text() == "early"
    assert names(tmp_path) == {"model"}


def test_the_folder_can_be_read_as_any_other(tmp_path: Path):
    old = os.umask(0o027)
    try:
        with replace_folder(tmp_path / "model") as fresh:
            fill(fresh, "new")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "model").stat().st_mode) == 0o750


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path):
    with replace_folder(tmp_path / "real") as fresh:
        fill(fresh, "old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with replace_folder(tmp_path / "link", overwrite=True) as fresh:
        fill(fresh, "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "config.json").read_text() == "new"


def test_every_file_may_be_read_by_whom_the_umask_allows(tmp_path: Path):
    with replace_folder(tmp_path / "model") as folder:
        (folder / "sub").mkdir()
        for file in (folder / "config.json", folder / "sub" / "weights"):
            file.write_text("{}")
            file.chmod(0o600)
    (tmp_path / "plain").write_text("")
    expected = (tmp_path / "plain").stat().st_mode
    files = [path for path in (tmp_path / "model").rglob("*") if path.is_file()]
    assert [path.stat().st_mode for path in files] == [expected, expected]
