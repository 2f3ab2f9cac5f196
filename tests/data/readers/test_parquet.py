import gzip
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from likewise.data.readers.parquet import read_parquet
from likewise.errors import InputError


def parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def test_lists_numbers_and_nulls_come_as_they_are(write):
    rows = [{"a": "x", "b": ["y", "z"], "c": 1.5}, {"a": None, "b": [], "c": None}]
    path = write("a.parquet", parquet(pa.Table.from_pylist(rows)))
    assert [record for _, record in read_parquet(path)] == rows


def test_row_numbers_go_on_over_batches(write):
    path = write("a.parquet", parquet(pa.table({"a": list(range(3000))})))
    assert [place.row for place, _ in read_parquet(path)] == list(range(1, 3001))


def test_repeated_column_names_are_an_error(write):
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(InputError, match="more than one column is named 'a'"):
        list(read_parquet(write("a.parquet", parquet(table))))


def test_no_rows_are_an_error_that_lists_the_columns(write):
    path = write("a.parquet", parquet(pa.table({"a": pa.array([], pa.string())})))
    with pytest.raises(InputError, match=r"columns \(a\) and no rows"):
        list(read_parquet(path))


def test_another_format_under_the_name_is_an_error(write):
    with pytest.raises(InputError, match="not a whole Parquet file"):
        list(read_parquet(write("a.parquet", "a,b\n1,2\n" * 10)))
    with pytest.raises(InputError, match="Parquet compresses inside"):
        list(read_parquet(write("b.parquet", gzip.compress(b"x"))))


def test_damage_in_the_middle_is_an_error(write):
    raw = bytearray(parquet(pa.table({"a": [f"text {i}" for i in range(5000)]})))
    raw[2000:2200] = bytes(200)
    with pytest.raises(InputError, match="not a whole Parquet file"):
        list(read_parquet(write("a.parquet", bytes(raw))))
