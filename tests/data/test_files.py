import gzip

import pytest

from likewise.data.files import cut_gzip, empty_file, lines, no_such_file, not_utf8, opened
from likewise.errors import InputError, Where


def test_lines_keep_their_ends_and_know_their_row(write):
    path = write("a.txt", b"\xef\xbb\xbfone\r\ntwo\n\nlast")
    found = [(place.row, line) for place, line in lines(path)]
    assert found == [(1, b"one\r\n"), (2, b"two\n"), (3, b"\n"), (4, b"last")]


def test_a_mark_inside_the_file_stays(write):
    path = write("a.txt", b"one\n\xef\xbb\xbftwo\n")
    assert [line for _, line in lines(path)] == [b"one\n", b"\xef\xbb\xbftwo\n"]


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(InputError, match="a folder, where a file was expected"), opened(tmp_path):
        pass


def test_similar_names_are_offered(write, tmp_path):
    write("pairs.csv", "a")
    error = no_such_file(tmp_path / "pair.csv")
    assert error.mend == f"did you mean: {tmp_path / 'pairs.csv'}"
    assert no_such_file(tmp_path / "none" / "x").mend == f"look what is there: ls {tmp_path}/none"


def test_a_gzip_with_a_wrong_checksum_is_damaged(tmp_path):
    raw = bytearray(gzip.compress(b"one\ntwo\n"))
    raw[-8] ^= 0xFF
    path = tmp_path / "a.txt.gz"
    path.write_bytes(raw)
    with pytest.raises(InputError, match="row 3: the gzip is cut off or damaged"):
        list(lines(path))


@pytest.mark.parametrize(
    ("line", "encoding"),
    [(b"caf\xe9", "latin1"), (b"\x93so\x94", "windows-1252"), (b"\xff\xfea\x00", "utf-16")],
)
def test_the_likely_encoding_is_guessed(line, encoding):
    with pytest.raises(UnicodeDecodeError) as raised:
        line.decode()
    error = not_utf8(Where(path="my data.csv.gz", row=2), line, raised.value)
    expected = f"gzip -dc 'my data.csv.gz' | iconv -f {encoding} -t utf-8 > utf8.csv"
    assert error.mend == f"convert the file first: {expected}"


def test_errors_name_the_file(tmp_path):
    path = tmp_path / "a.csv"
    assert str(empty_file(path)).startswith(f"{path}: the file is empty")
    assert str(cut_gzip(path, row=3)).startswith(f"{path}, row 3: the gzip")
