import pytest

from likewise.data.readers.delimited import read_csv, read_tsv
from likewise.errors import InputError


def test_a_quoted_line_break_stays_in_its_row_and_later_rows_keep_their_line(write):
    path = write("a.csv", 'a,b\n"one\ntwo",x\ny,z\n')
    assert [(place.row, record) for place, record in read_csv(path)] == [
        (2, {"a": "one\ntwo", "b": "x"}),
        (4, {"a": "y", "b": "z"}),
    ]


def test_quoted_carriage_returns_and_doubled_quotes_survive(write):
    path = write("a.csv", b'a,b\r\n"one\r\ntwo","he said ""yes"""\r\n')
    assert [record for _, record in read_csv(path)] == [{"a": "one\r\ntwo", "b": 'he said "yes"'}]


def error_of(path, read=read_csv):
    with pytest.raises(InputError) as raised:
        list(read(path))
    return raised.value


def problems(path, read=read_csv):
    return [record for _, record in read(path) if isinstance(record, InputError)]


def test_a_row_with_too_many_fields_is_named(write):
    (error,) = problems(write("a.csv", "a,b\n1,2\n1,2,3\n4,5\n"))
    assert str(error).startswith(f"{error.where.path}, row 3: expected 2 fields (a, b), found 3")
    assert "double quotes" in error.mend


def test_a_row_with_too_few_fields_is_named(write):
    (error,) = problems(write("a.csv", "a,b\n1,2\nonly\n4,5\n"))
    assert error.where.row == 3
    assert "expected 2 fields (a, b), found 1" in error.problem


def test_a_quote_that_is_never_closed_names_the_row_that_opens_it(write):
    (error,) = problems(write("a.csv", 'a,b\n1,2\n"open,2\n3,4\n'))
    assert error.where.row == 3
    assert "never closed" in error.problem


def test_text_after_a_closing_quote_is_named(write):
    (error,) = problems(write("a.csv", 'a,b\n"Yes," she said,2\n3,4\n'))
    assert error.where.row == 2
    assert '""yes""' in error.mend


def test_an_unquoted_tsv_gets_the_command_that_quotes_it(write, tmp_path):
    import subprocess

    path = write("a.tsv", 'a\tb\n"Yes," she said\tno\n')
    (error,) = problems(path, read_tsv)
    command = error.mend.split("where no text is quoted: ")[1]
    subprocess.run(command, shell=True, check=True, cwd=tmp_path)
    rows = [record for _, record in read_tsv(tmp_path / "quoted.tsv")]
    assert rows == [{"a": '"Yes," she said', "b": "no"}]


def test_a_header_alone_is_an_error(write):
    path = write("a.csv", "a,b\n")
    assert str(error_of(path)).startswith(f"{path}: a header and no rows")


def test_a_repeated_column_name_is_an_error(write):
    error = error_of(write("a.csv", "a,b,a\n1,2,3\n"))
    assert "more than one column named 'a'" in error.problem
    assert error.where.row == 1


def test_a_header_with_another_separator_is_told_apart(write):
    semicolons = error_of(write("a.csv", "anchor;positive\nx;y\n"))
    assert "separated by ';'" in semicolons.problem
    tabs = error_of(write("b.csv", "anchor\tpositive\nx\ty\n"))
    assert tabs.mend == f"rename it: mv {tabs.where.path} b.tsv"


def test_carriage_returns_alone_get_the_command_that_converts_them(write):
    error = error_of(write("a.csv", b"a,b\r1,2\r"))
    assert "tr '\\r' '\\n'" in error.mend


def test_a_header_that_is_not_utf8_is_an_error(write):
    error = error_of(write("a.csv", "größe,b\n1,2\n".encode("latin1")))
    assert "iconv" in error.mend


def test_utf16_gets_its_own_command(write):
    error = error_of(write("a.csv", "a,b\n1,2\n".encode("utf-16")))
    assert "iconv -f utf-16" in error.mend


def test_a_mis_encoded_line_inside_a_quoted_text_names_the_row_that_holds_it(write):
    path = write("a.csv", 'a,b\n"one\ncaf\u00e9",x\ny,z\n'.encode("latin1"))
    rows = list(read_csv(path))
    assert isinstance(rows[0][1], InputError)
    assert rows[0][1].where.row == 3  # the line with the byte
    assert rows[1][1] == {"a": "y", "b": "z"}


def test_a_very_long_text_is_an_error_that_says_so(write):
    (error,) = problems(write("a.csv", "a,b\n" + "x" * 200_000 + ",y\n1,2\n"))
    assert "longer than 131,072 characters" in error.problem
    assert ".jsonl" in error.mend
