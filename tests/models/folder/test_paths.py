from pathlib import Path

import pytest

from likewise.errors import InputError, Where
from likewise.models.folder.paths import inside

FILE = Where(path="modules.json")


@pytest.mark.parametrize("name", ["", "1_Pooling", "a/b", "a/./b", "..b"])
def test_a_path_in_the_folder_is_taken(tmp_path: Path, name: str):
    assert inside(tmp_path, name, where=FILE) == tmp_path / name


@pytest.mark.parametrize("name", ["..", "../other", "a/../../b", "/etc", "..\\other", "C:\\x"])
def test_a_path_out_of_the_folder_is_refused(tmp_path: Path, name: str):
    with pytest.raises(InputError, match="points outside the model folder"):
        inside(tmp_path, name, where=FILE)
