import json
from pathlib import Path

import pytest

from likewise.errors import MissingExtra
from likewise.extras import require


def test_an_installed_package_is_returned():
    assert require("json", extra="demo") is json


def test_a_missing_package_names_the_extra_that_brings_it():
    with pytest.raises(MissingExtra, match=r'pip install "likewise\[mining\]"') as caught:
        require("no_such_package.inside", extra="mining")
    assert caught.value.exit_code == 2


def test_a_package_that_misses_something_itself_is_not_called_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    tmp_path.joinpath("half_there.py").write_text("import no_such_package\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        require("half_there", extra="mining")
