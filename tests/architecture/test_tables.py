"""Every table holds two entries or more, and takes another from somebody else's package."""

import importlib
from pathlib import Path

import pytest

from likewise.errors import InputError
from likewise.registry import Table

TABLES = {
    "READERS": "likewise.data.readers",
    "KINDS": "likewise.data.kinds",
    "CHECKS": "likewise.data.checks",
    "LOSSES": "likewise.losses",
    "EVALUATORS": "likewise.evaluation",
    "METHODS": "likewise.methods",
    "ARCHITECTURES": "likewise.models.architectures",
    "CLASSIFIERS": "likewise.models.architectures.classifiers",
    "INDEXES": "likewise.mining",
    "POOLINGS": "likewise.models.pooling",
}

each_table = pytest.mark.parametrize("name", TABLES)


def table(name: str) -> Table[object]:
    found = getattr(importlib.import_module(TABLES[name]), name)
    assert isinstance(found, Table)
    return found


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Install a distribution as pip would: a module and a dist-info folder on `sys.path`."""

    def installed(group: str, name: str) -> None:
        info = tmp_path / "likewise_guest-1.0.dist-info"
        info.mkdir()
        info.joinpath("METADATA").write_text(
            "Metadata-Version: 2.1\nName: likewise-guest\nVersion: 1.0\n"
        )
        info.joinpath("entry_points.txt").write_text(f"[{group}]\n{name} = likewise_guest:ENTRY\n")
        tmp_path.joinpath("likewise_guest.py").write_text("ENTRY = 'the guest'\n")
        monkeypatch.syspath_prepend(tmp_path)

    return installed


@each_table
def test_a_table_has_at_least_two_entries_of_its_own(name: str):
    assert len(table(name)) >= 2


@each_table
def test_the_group_is_named_after_the_table(name: str):
    assert table(name).group == f"likewise.{name.lower()}"


@each_table
def test_a_table_takes_an_entry_from_another_package(name: str, install):
    before = list(table(name))
    install(table(name).group, "from-elsewhere")
    assert list(table(name)) == [*before, "from-elsewhere"]
    assert "from-elsewhere" in table(name)
    assert table(name)["from-elsewhere"] == "the guest"
    assert table(name).pick("from-elsewhere", what="entry") == "the guest"


@each_table
def test_another_package_never_replaces_an_entry(name: str, install):
    own = next(iter(table(name)))
    entry = table(name)[own]
    install(table(name).group, own)
    assert table(name)[own] is entry
    assert list(table(name)).count(own) == 1


@each_table
def test_a_misspelt_name_is_answered_with_the_right_one(name: str):
    own = next(iter(table(name)))
    with pytest.raises(InputError, match=f'no entry "{own}x"') as caught:
        table(name).pick(f"{own}x", what="entry")
    assert own in caught.value.mend
