import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from likewise.data.digest import column_digest

texts = st.lists(st.one_of(st.none(), st.text()))
lists = st.lists(st.one_of(st.none(), st.lists(st.text())))


def digest(values, arrow, cut=0):
    whole = pa.array(values, arrow)
    return column_digest(pa.chunked_array([whole.slice(0, cut), whole.slice(cut)]))


@given(texts, st.integers(0, 5))
def test_chunks_of_texts_change_nothing(values, cut):
    cut = min(cut, len(values))
    assert digest(values, pa.large_string()) == digest(values, pa.large_string(), cut)


@given(lists, st.integers(0, 5))
def test_chunks_of_lists_change_nothing(values, cut):
    arrow = pa.large_list(pa.large_string())
    assert digest(values, arrow) == digest(values, arrow, min(cut, len(values)))


@given(texts, texts)
def test_equal_digests_mean_equal_texts(one, other):
    same = digest(one, pa.large_string()) == digest(other, pa.large_string())
    assert same == (one == other)


@given(lists, lists)
def test_equal_digests_mean_equal_lists(one, other):
    arrow = pa.large_list(pa.large_string())
    assert (digest(one, arrow) == digest(other, arrow)) == (one == other)


def test_numbers_and_types_count():
    assert digest([1.0, 2.0], pa.float64()) == digest([1.0, 2.0], pa.float64(), 1)
    assert digest([1.0, 2.0], pa.float64()) != digest([2.0, 1.0], pa.float64())
    assert digest([1], pa.int64()) != digest([1], pa.float64())
