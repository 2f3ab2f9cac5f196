import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likewise.data.columns import Column, TextColumn, unified
from likewise.data.kinds import KINDS

TEXT = KINDS["pairs"].roles[1]
cells = st.one_of(st.none(), st.text(), st.lists(st.text(), min_size=1))


@given(st.lists(st.lists(cells), max_size=4))
def test_values_come_back_however_they_are_cut_into_chunks(chunks):
    column = Column(TEXT)
    for chunk in chunks:
        column.pending += chunk
        column.flush()
    values = [value for chunk in chunks for value in chunk]
    if any(isinstance(value, list) for value in values):
        values = [[value] if isinstance(value, str) else value for value in values]
    assert column.finish().to_pylist() == values


def test_texts_alone_stay_texts_and_no_rows_have_a_type():
    column = Column(TEXT)
    column.pending += ["a", None]
    assert column.finish().type == pa.large_string()
    assert Column(TEXT).finish().type == pa.large_string()


def test_lists_in_one_chunk_make_lists_of_all():
    chunks = [
        pa.array(["a", None], pa.large_string()),
        pa.array([["b", "c"]], pa.large_list(pa.large_string())),
    ]
    assert unified(chunks, pa.large_string()).to_pylist() == [["a"], None, ["b", "c"]]


@given(st.lists(st.lists(st.text(max_size=3), max_size=4), max_size=3), st.data())
def test_a_column_of_texts_is_a_sequence_as_a_list_is(chunks, data):
    texts = [text for chunk in chunks for text in chunk]
    column = TextColumn(pa.chunked_array(chunks, type=pa.large_string()))
    assert list(column) == texts
    assert len(column) == len(texts)
    part = data.draw(st.slices(len(texts)))
    assert column[part] == texts[part]
    for i in range(-len(texts), len(texts)):
        assert column[i] == texts[i]
    with pytest.raises(IndexError):
        column[len(texts)]
