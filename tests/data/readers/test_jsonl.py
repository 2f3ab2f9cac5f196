from likewise.data.readers.jsonl import read_jsonl
from likewise.errors import InputError


def test_one_broken_line_is_named_and_the_others_are_read(write):
    path = write("a.jsonl", '{"a": 1}\n{"a": 2\n{"a": 3}\n')
    rows = [record for _, record in read_jsonl(path)]
    assert rows[0] == {"a": 1}
    assert rows[2] == {"a": 3}
    assert isinstance(rows[1], InputError)
    assert str(rows[1]).startswith(f"{path}, row 2: not JSON at character 8:")


def test_a_line_that_is_no_object_is_named(write):
    ((_, error),) = read_jsonl(write("a.jsonl", '"text"\n'))
    assert isinstance(error, InputError)
    assert error.problem == "expected an object, found str"


def test_a_json_array_gets_the_command_that_unrolls_it(write):
    for content in ('[{"a": 1}]\n', '[\n{"a": 1}\n]\n'):
        _, error = next(iter(read_jsonl(write("a.jsonl", content))))
        assert isinstance(error, InputError)
        assert "jq -c '.[]'" in error.mend


def test_deep_nesting_is_an_error_and_no_crash(write):
    ((_, error),) = read_jsonl(write("a.jsonl", "[" * 100_000 + "]" * 100_000 + "\n"))
    assert isinstance(error, InputError)
    assert "nested too deeply" in error.problem
