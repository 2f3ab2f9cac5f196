from pathlib import Path

import pytest

from likewise.errors import InputError
from likewise.models.folder.jsons import expect, read_json, read_object, read_object_if_there


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "line 1 is not"),
        (b'{"a":\n1,}', "line 2 is not"),
        (b"", "line 1 is not"),
        (b'{"a": "\xe9"}', "byte 8 is not UTF-8"),
        (b"[1]", "expected a JSON object, found list"),
    ],
    ids=["cut", "comma", "empty", "latin-1", "list"],
)
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes, problem: str):
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=problem) as caught:
        read_object(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(InputError, match=r"config\.json: this file is missing"):
        read_json(tmp_path / "config.json")


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path: Path):
    with pytest.raises(InputError, match="cannot be read"):
        read_json(tmp_path)


def test_a_file_that_may_be_absent_is_then_empty(tmp_path: Path):
    assert read_object_if_there(tmp_path / "config.json") == {}


def test_a_value_of_another_type_is_named_with_its_key(tmp_path: Path):
    path = tmp_path / "config.json"
    assert expect(3, int, key="n", path=path) == 3
    assert expect(True, bool, key="n", path=path) is True
    with pytest.raises(InputError, match='"n": expected int or null, found True'):
        expect(True, (int, type(None)), key="n", path=path)
