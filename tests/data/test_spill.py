import gc
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likewise.data.spill import Spill

TEXT = pa.large_string()


def chunked(chunks: list[list[str]], bound: int) -> pa.ChunkedArray:
    spill = Spill(bound=bound)
    for chunk in chunks:
        spill.add(pa.array(chunk, TEXT))
    return spill.finish(TEXT)


@given(st.lists(st.lists(st.text(max_size=9), max_size=4), max_size=5), st.integers(0, 60))
def test_what_went_in_comes_out_wherever_it_lay(chunks, bound):
    found = chunked(chunks, bound)
    assert found.type == TEXT
    assert found.to_pylist() == [text for chunk in chunks for text in chunk]


def test_no_chunk_is_an_empty_column():
    assert len(chunked([], 0)) == 0


def test_a_large_column_takes_no_memory_of_its_own():
    before = pa.total_allocated_bytes()
    spill = Spill(bound=1000)
    for i in range(50):
        spill.add(pa.array([f"{i} {'x' * 1000}"] * 20, TEXT))
        assert pa.total_allocated_bytes() - before < 100_000
    column = spill.finish(TEXT)
    assert pa.total_allocated_bytes() - before < 100_000
    assert column[999].as_py() == f"49 {'x' * 1000}"


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files by /proc")
def test_its_file_is_gone_with_the_column():
    def files() -> int:
        gc.collect()
        return len(list(Path("/proc/self/fd").iterdir()))

    def mapped() -> bool:
        gc.collect()
        lines = Path("/proc/self/maps").read_text().splitlines()
        return any("(deleted)" in line and "/tmp" in line for line in lines)

    before = files()
    column = chunked([["x" * 100]] * 9, 50)
    assert mapped()
    del column
    assert files() == before
    assert not mapped()
