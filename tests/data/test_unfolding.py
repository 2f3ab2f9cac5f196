import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from likewise.data import read
from likewise.data.unfolding import Unfolding
from likewise.errors import InputError, Where

SETS = [
    {"sentences": ["a b", "c d", "e f"], "labels": [1, 2, 1]},
    {"sentences": ["g h"], "labels": [3]},
]
PAIRS = {"sent1": ["one", "two"], "sent2": ["uno", "three"], "labels": [1, 0]}


def error_of(path, **options) -> str:
    with pytest.raises(InputError) as raised:
        read(path, **options)
    return str(raised.value)


def test_sets_to_cluster_become_labelled_texts_that_know_their_row(write):
    data = read(write("clusters.jsonl", SETS))
    assert data.kind == "labelled"
    assert data.texts("text") == ["a b", "c d", "e f", "g h"]
    assert data.labels() == ["1", "2", "1", "3"]
    assert data.row.tolist() == [1, 1, 1, 2]
    assert "rows of lists made into one row an element, 4 in all: 2" in map(str, data.notes)


@pytest.mark.parametrize("names", [("sent1", "sent2"), ("sentence1", "sentence2")])
def test_pairs_in_one_row_of_lists_are_pair_labels(names, write):
    row = dict(zip((*names, "labels"), PAIRS.values(), strict=True))
    data = read(write("pairs.jsonl", [row]))
    assert data.kind == "pair-labels"
    assert data.texts("sentence1") == ["one", "two"]
    assert data.texts("sentence2") == ["uno", "three"]
    assert data.labels() == [1, 0]


def test_parquet_holds_the_same(tmp_path):
    parquet.write_table(pa.Table.from_pylist(SETS), tmp_path / "test.parquet")
    assert read(tmp_path / "test.parquet").row.tolist() == [1, 1, 1, 2]


def test_one_element_a_row_is_read_under_the_same_names(write):
    data = read(write("flat.jsonl", [{"sentences": "a", "labels": 1}]))
    assert (data.kind, data.notes[0].count) == ("labelled", 0)
    assert data.texts("text") == ["a"]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"sentences": ["a", "b"], "labels": [1]}, 'row 3, column "labels": a list of 1, while'),
        ({"sentences": [], "labels": []}, 'row 3, column "sentences": expected a list'),
        ({"sentences": "a", "labels": [1]}, 'row 3, column "sentences": expected a list'),
        ({"sentences": ["a"]}, 'row 3, column "labels": expected a list, as in the rows before'),
    ],
)
def test_a_row_of_other_lists_is_named_or_skipped(row, told, write):
    path = write("clusters.jsonl", [*SETS, row])
    assert f"{path}, {told}" in error_of(path)
    data = read(path, skip_bad=True)
    assert len(data) == 4
    assert ("bad rows skipped", 1) in [(note.text, note.count) for note in data.notes]


def test_a_bad_element_names_the_row_that_it_stands_in(write):
    path = write("clusters.jsonl", [*SETS, {"sentences": ["a", " "], "labels": [1, 2]}])
    assert f'{path}, row 3, column "sentences"' in error_of(path)


def test_a_list_among_single_cells_is_no_layout(write):
    path = write("flat.jsonl", [{"text": "a", "label": 1}, {"text": ["b"], "label": [1]}])
    assert 'row 2, column "text": expected a text, found a list of 1' in error_of(path)


@given(st.lists(st.lists(st.tuples(st.text(), st.integers()), min_size=1), min_size=1))
def test_nothing_is_lost_and_the_order_stays(sets):
    rows = [{"sentences": [t for t, _ in one], "labels": [n for _, n in one]} for one in sets]
    unfolding = Unfolding((Where(path="x", row=i), row) for i, row in enumerate(rows, start=1))
    found = [(where.row, r["sentences"], r["labels"]) for where, r in unfolding.rows()]
    assert found == [(i, t, n) for i, one in enumerate(sets, start=1) for t, n in one]
    assert unfolding.notes()[0].count == len(sets)


@given(st.lists(st.dictionaries(st.sampled_from(["text", "positive"]), st.text() | st.none())))
def test_rows_without_lists_pass_untouched(rows):
    given_rows = [(Where(path="x", row=i), row) for i, row in enumerate(rows, start=1)]
    unfolding = Unfolding(iter(given_rows))
    assert list(unfolding.rows()) == given_rows
    assert unfolding.notes() == ()


def test_an_error_before_the_first_row_stays_where_it_is(write):
    lines = "not json\n" + "".join(json.dumps(row) + "\n" for row in SETS)
    path = write("clusters.jsonl", lines)
    assert f"{path}, row 1" in error_of(path)
    assert read(path, skip_bad=True).row.tolist() == [2, 2, 2, 3]
