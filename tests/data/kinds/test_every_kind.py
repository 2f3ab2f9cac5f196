"""What every kind must do: a new one is tested as soon as it stands in the table."""

import itertools

import pyarrow as pa
import pytest

from likewise.data import read
from likewise.data.dataset import Dataset
from likewise.data.kinds import KINDS
from likewise.errors import InputError

every_kind = pytest.mark.parametrize("kind", list(KINDS))
every_role = pytest.mark.parametrize(
    ("kind", "role"), [(name, role) for name, kind in KINDS.items() for role in kind.roles]
)


def read_rows(write, rows, **options) -> Dataset:
    data = read(write("data.jsonl", rows), **options)
    assert isinstance(data, Dataset)
    return data


@every_kind
def test_the_table_and_the_kind_agree_on_its_name(kind):
    assert KINDS[kind].name == kind


@every_kind
def test_its_example_is_a_valid_row(kind, write):
    example = KINDS[kind].example
    assert set(example) >= {role.name for role in KINDS[kind].required}
    data = read_rows(write, [example, example], kind=kind)
    assert data.kind == kind
    assert list(data.row) == [1, 2]
    assert set(data.roles) == set(example)


@every_kind
def test_its_own_names_are_recognised_without_being_told(kind, write):
    assert read_rows(write, [KINDS[kind].example]).kind == kind


@every_kind
def test_the_order_of_the_columns_changes_nothing(kind, write):
    example = KINDS[kind].example
    expected = read_rows(write, [example])
    for order in itertools.permutations(example):
        data = read_rows(write, [{name: example[name] for name in order}])
        assert data.kind == kind
        assert data.table == expected.table


@every_role
def test_every_accepted_name_binds_the_role(kind, role, write):
    example = KINDS[kind].example
    value = example.get(role.name, "another text")
    for name in (role.name, *role.accepts):
        for spelled in (name, name.upper(), f" {name} "):
            row = {k: v for k, v in example.items() if k != role.name} | {spelled: value}
            data = read_rows(write, [row], kind=kind)
            assert role.name in data.roles
            assert data.columns[role.name] == spelled


@every_role
def test_any_column_binds_by_hand(kind, role, write):
    example = KINDS[kind].example
    value = example.get(role.name, "another text")
    row = {k: v for k, v in example.items() if k != role.name} | {"Some, column": value}
    data = read_rows(write, [row], kind=kind, columns={role.name: "some, column"})
    assert data.columns[role.name] == "Some, column"


@every_role
def test_a_missing_column_is_an_error_with_the_line_that_mends_it(kind, role, write):
    if not role.required:
        return
    example = KINDS[kind].example
    row = {k: v for k, v in example.items() if k != role.name} | {"unknown": example[role.name]}
    with pytest.raises(InputError, match=f"no column is named {role.name}") as raised:
        read_rows(write, [row], kind=kind)
    assert ", ".join(row) in raised.value.problem
    line = f"--columns {role.name}=unknown"
    assert line in raised.value.mend
    read_rows(write, [row], kind=kind, columns={role.name: "unknown"})


@every_role
def test_two_columns_for_one_role_are_an_error_with_the_lines_that_choose(kind, role, write):
    value = KINDS[kind].example.get(role.name, "another text")
    row = {**KINDS[kind].example, role.name: value, role.name.upper(): value}
    if role.numbered:
        return
    with pytest.raises(InputError, match="more than one could be") as raised:
        read_rows(write, [row], kind=kind)
    assert f"--columns {role.name}={role.name.upper()}" in raised.value.mend


@every_role
def test_a_cell_of_the_wrong_type_names_row_and_column(kind, role, write):
    example = KINDS[kind].example
    rows = [example, {**example, role.name: {"an": "object"}}, example]
    with pytest.raises(InputError) as raised:
        read_rows(write, rows, kind=kind)
    where = raised.value.where
    assert where is not None
    assert (where.row, where.column) == (2, role.name)
    assert "expected" in raised.value.problem
    assert "found a value of type dict" in raised.value.problem
    assert raised.value.mend == role.mend


@every_role
def test_an_empty_cell_is_refused_or_dropped_and_never_kept(kind, role, write):
    if not role.required:
        return
    example = KINDS[kind].example
    path = write("data.jsonl", [example, {**example, role.name: ""}, example])
    data = read(path, kind=kind, skip_bad=True)
    assert list(data.row) == [1, 3]
    dropped = any("dropped" in note.text and note.count == 1 for note in data.notes)
    place = f'row 2, column "{role.name}"'
    assert dropped != any(place in note.text for note in data.notes)
    if not dropped:
        with pytest.raises(InputError, match=place):
            read(path, kind=kind)


@every_kind
def test_bad_rows_are_skipped_counted_and_listed_on_request(kind, write):
    example = KINDS[kind].example
    role = KINDS[kind].required[0]
    rows = [example, {**example, role.name: 7}, example]
    data = read_rows(write, rows, kind=kind, skip_bad=True)
    assert list(data.row) == [1, 3]
    assert any(note.text == "bad rows skipped" and note.count == 1 for note in data.notes)
    assert any("row 2" in note.text and "the number 7" in note.text for note in data.notes)


@every_role
def test_values_are_stored_in_the_type_of_the_role(kind, role, write):
    data = read_rows(write, [KINDS[kind].example], kind=kind)
    if role.name in data.roles:
        found = data.table.column(role.name).type
        assert found in {role.arrow, pa.large_list(role.arrow)}
    assert role.arrow in {pa.large_string(), pa.float64(), pa.int64()}


@every_kind
def test_labels_and_scores_are_explained(kind):
    has_values = any(role.name in {"label", "score", "scores"} for role in KINDS[kind].roles)
    assert bool(KINDS[kind].meaning) == has_values


@every_kind
def test_a_column_that_contradicts_the_kind_asks_for_a_choice(kind, write):
    for name in KINDS[kind].contradicted_by:
        row = {**KINDS[kind].example, name: 1}
        with pytest.raises(InputError, match=f'"{name}" may say') as raised:
            read_rows(write, [row])
        assert f"--kind {kind}" in raised.value.mend
        data = read_rows(write, [row], kind=kind)
        assert any(name in note.text for note in data.notes)
