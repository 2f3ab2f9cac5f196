"""What every reader must do: a new one is tested as soon as it stands in the table.

A format needs one thing from its author: a way to write records, in WRITERS.
"""

import csv
import gzip
import io
import json
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likewise.data.readers import READERS
from likewise.errors import InputError

Records = list[dict[str, str]]


def write_delimited(delimiter: str) -> Callable[[Records], bytes]:
    def write(records: Records) -> bytes:
        out = io.StringIO()
        writer = csv.DictWriter(out, list(records[0]), delimiter=delimiter, lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
        return out.getvalue().encode()

    return write


def write_jsonl(records: Records) -> bytes:
    lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    return "".join(lines).encode()


def write_parquet(records: Records) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(records), out, row_group_size=1000)
    return out.getvalue()


def write_text(records: Records) -> bytes:
    return "".join(record["text"] + "\n" for record in records).encode()


WRITERS: dict[str, Callable[[Records], bytes]] = {
    ".jsonl": write_jsonl,
    ".csv": write_delimited(","),
    ".tsv": write_delimited("\t"),
    ".parquet": write_parquet,
    ".txt": write_text,
}
BINARY = {".parquet"}  # no lines: no byte-order mark, line ends, encoding or gzip around it
HEADED = {".csv", ".tsv"}  # the first record stands in row 2
ONE_COLUMN = {".txt"}

every_format = pytest.mark.parametrize("suffix", list(READERS))
every_text_format = pytest.mark.parametrize("suffix", [s for s in READERS if s not in BINARY])


def sample(suffix: str, n: int = 3) -> Records:
    records = [{"text": f"text {i}", "other": f"é{i}, and so on"} for i in range(n)]
    return [{"text": r["text"]} for r in records] if suffix in ONE_COLUMN else records


def first_row(suffix: str) -> int:
    return 2 if suffix in HEADED else 1


def records_of(path: Path, suffix: str) -> Records:
    rows: list[dict[str, Any]] = []
    for _, record in READERS[suffix](path):
        assert isinstance(record, dict), record
        rows.append(record)
    return rows


def error_of(path: Path, suffix: str) -> InputError:
    """The first thing wrong with a file, whether yielded or raised."""
    found, raised = outcome(path, suffix)
    error = next((record for record in found if isinstance(record, InputError)), raised)
    assert error is not None
    return error


def outcome(path: Path, suffix: str) -> tuple[list[Any], InputError | None]:
    """All that was yielded, and the error that ended it, if one did."""
    found: list[Any] = []
    try:
        found.extend(record for _, record in READERS[suffix](path))
    except InputError as error:
        return found, error
    return found, None


def test_every_reader_has_a_writer_here():
    assert set(READERS) == set(WRITERS)


@every_format
def test_what_was_written_is_read_back_with_its_rows(suffix, write):
    records = sample(suffix)
    path = write(f"data{suffix}", WRITERS[suffix](records))
    read = list(READERS[suffix](path))
    assert [record for _, record in read] == records
    start = first_row(suffix)
    assert [place.row for place, _ in read] == list(range(start, start + len(records)))
    assert {place.path for place, _ in read} == {str(path)}


@every_format
@given(data=st.data())
def test_any_text_survives(suffix, data, tmp_path_factory):
    excluded = "\r\n\x00" if suffix in ONE_COLUMN else "\r\x00"
    letters = st.characters(codec="utf-8", exclude_characters=excluded)
    texts = st.text(letters, min_size=1).filter(lambda text: text.strip() and text[0] != "\ufeff")
    fields = ["text"] if suffix in ONE_COLUMN else ["text", "other"]
    record = st.fixed_dictionaries(dict.fromkeys(fields, texts))
    records = data.draw(st.lists(record, min_size=1, max_size=5))
    path = tmp_path_factory.mktemp("any") / f"data{suffix}"
    path.write_bytes(WRITERS[suffix](records))
    assert records_of(path, suffix) == records


@every_text_format
def test_a_byte_order_mark_is_taken_off(suffix, write):
    path = write(f"data{suffix}", b"\xef\xbb\xbf" + WRITERS[suffix](sample(suffix)))
    assert records_of(path, suffix) == sample(suffix)


@every_text_format
def test_windows_line_ends_are_read(suffix, write):
    path = write(f"data{suffix}", WRITERS[suffix](sample(suffix)).replace(b"\n", b"\r\n"))
    assert records_of(path, suffix) == sample(suffix)


@every_text_format
def test_the_last_line_needs_no_end(suffix, write):
    path = write(f"data{suffix}", WRITERS[suffix](sample(suffix)).rstrip(b"\n"))
    assert records_of(path, suffix) == sample(suffix)


@every_text_format
def test_blank_lines_are_passed_and_counted_as_rows(suffix, write):
    head, *lines = WRITERS[suffix](sample(suffix)).splitlines(keepends=True)
    path = write(f"data{suffix}", head + b"\n" + b"".join(lines) + b"\n\n")
    read = list(READERS[suffix](path))
    assert [record for _, record in read] == sample(suffix)
    assert read[-1][0].row == 1 + len([head, *lines])


@every_text_format
def test_gzip_is_read_whatever_its_name(suffix, write, tmp_path):
    raw = WRITERS[suffix](sample(suffix))
    assert records_of(write(f"data{suffix}.gz", raw), suffix) == sample(suffix)
    unnamed = tmp_path / f"unnamed{suffix}"
    unnamed.write_bytes(gzip.compress(raw))
    assert records_of(unnamed, suffix) == sample(suffix)


@every_format
def test_an_empty_file_is_named(suffix, write):
    path = write(f"data{suffix}", b"")
    assert str(error_of(path, suffix)).startswith(f"{path}: the file is empty")


@every_format
def test_a_missing_file_is_named(suffix, tmp_path):
    path = tmp_path / f"none{suffix}"
    assert str(error_of(path, suffix)).startswith(f"{path}: there is no such file")


@every_text_format
def test_a_cut_gzip_names_its_row_and_keeps_what_came_before(suffix, tmp_path):
    noise = [{"text": os.urandom(200).hex(), "other": "x"} for _ in range(500)]
    records = [{"text": r["text"]} for r in noise] if suffix in ONE_COLUMN else noise
    path = tmp_path / f"data{suffix}.gz"
    packed = gzip.compress(WRITERS[suffix](records))
    path.write_bytes(packed[: len(packed) // 2])
    seen = []
    with pytest.raises(InputError, match="gzip is cut off or damaged") as raised:
        seen.extend(record for _, record in READERS[suffix](path))
    assert seen == records[: len(seen)]
    assert raised.value.where is not None
    assert raised.value.where.row == first_row(suffix) + len(seen)
    assert "gzip -t" in raised.value.mend


@every_text_format
def test_a_gzip_that_is_none_is_named(suffix, tmp_path):
    path = tmp_path / f"data{suffix}.gz"
    path.write_bytes(WRITERS[suffix](sample(suffix)))
    assert "not a gzip file" in str(error_of(path, suffix))


@every_text_format
def test_a_mis_encoded_row_is_named_and_the_next_one_read(suffix, write):
    records = [dict.fromkeys(sample(suffix)[0], "plain") for _ in range(3)]
    records[1] = dict.fromkeys(records[1], "café")
    raw = WRITERS[suffix](records).decode().encode("latin1")
    if suffix == ".jsonl":  # the writer must not have escaped it
        assert b"\xe9" in raw
    read = list(READERS[suffix](write(f"data{suffix}", raw)))
    assert read[0][1] == records[0]
    assert read[2][1] == records[2]
    error = read[1][1]
    assert isinstance(error, InputError)
    assert error.where is not None
    assert error.where.row == first_row(suffix) + 1
    assert "not UTF-8 (0xe9)" in str(error)
    assert f"iconv -f latin1 -t utf-8 {error.where.path} > utf8{suffix}" in error.mend


@every_format
def test_a_file_that_is_cut_off_never_gives_wrong_records(suffix, write):
    records = sample(suffix, n=50)
    raw = WRITERS[suffix](records)
    path = write(f"data{suffix}", raw[: int(len(raw) * 0.6)])
    found, raised = outcome(path, suffix)
    assert raised is None or (raised.where is not None and raised.where.path == str(path))
    good = [record for record in found if isinstance(record, dict)]
    whole = good if suffix in BINARY else good[:-1]  # a cut line may still be a row
    assert whole == records[: len(whole)]


def peak_of_reading(path: Path, suffix: str) -> int:
    """Bytes at the highest point, Python's and Arrow's."""
    arrow = 0
    tracemalloc.start()
    for i, _ in enumerate(READERS[suffix](path)):
        if i % 500 == 0:
            arrow = max(arrow, pa.total_allocated_bytes())
    _, python = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return python + arrow


@every_format
def test_memory_stays_flat(suffix, write):
    peaks = []
    for n in (3000, 12_000):
        records = [{**record, "text": f"{i} " * 50} for i, record in enumerate(sample(suffix, n))]
        path = write(f"{n}{suffix}", WRITERS[suffix](records))
        assert records_of(path, suffix)[-1]["text"].rstrip() == records[-1]["text"].rstrip()
        peaks.append(peak_of_reading(path, suffix))
    assert peaks[1] < 1.5 * peaks[0] + 100_000, peaks
