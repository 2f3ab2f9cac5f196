import gzip
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from likewise.data.files import Rows
from likewise.data.kinds.values import parse_text
from likewise.data.readers.text import read_lines, read_text
from likewise.errors import InputError

# whatever a line may be made of: letters, blanks of every width, line ends, a mark, broken bytes
PIECES = [
    "a",
    "é",
    "中",
    " ",
    "\t",
    "\x0b",
    "\x1c",
    "\r",
    "\n",
    "\r\n",
    "\u3000",
    "\u00a0",
    "\u2003",
]
PIECES += ["\u200b", "\u0085", "\u3042", "\ufeff", "\x00"]
parts = st.lists(st.sampled_from([p.encode() for p in PIECES] + [b"\xe9", b"\xc2"]), max_size=30)


def test_every_line_is_a_text_kept_as_it_is(write):
    path = write("a.txt", "  one, two \n\nthree\n")
    assert [(p.row, r["text"]) for p, r in read_text(path)] == [(1, "  one, two "), (3, "three")]


def accepted(rows: Rows) -> list[tuple[int | None, str]] | None:
    """Rows and texts, as a checked data set has them; None where anything is wrong, or nothing."""
    found = []
    try:
        for where, record in rows:
            if isinstance(record, InputError):
                return None
            found.append((where.row, parse_text(record["text"])))
    except (InputError, ValueError):
        return None
    return found or None


@settings(deadline=None)  # the first one imports what computes on columns
@given(pieces=parts, block=st.integers(1, 40), packed=st.booleans())
@example(pieces=[b"\xef\xbb\xbf", b"a", b"\n", b"b"], block=2, packed=False)
@example(pieces=[b"a", b"\n", "\u3000".encode(), b"\n"], block=9, packed=False)
def test_whole_blocks_give_what_line_by_line_gives(pieces, block, packed, tmp_path_factory):
    raw = b"".join(pieces)
    path = tmp_path_factory.mktemp("lines") / "a.txt"
    path.write_bytes(gzip.compress(raw) if packed else raw)
    expected = accepted(read_text(path))
    found = read_lines(path, block=block)
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert list(zip(found.row.tolist(), found.texts.to_pylist(), strict=True)) == expected


def test_a_cut_gzip_is_left_to_the_reader_that_names_the_row(tmp_path: Path):
    draw = np.random.default_rng(0)
    lines = "".join(f"{number}\n" for number in draw.integers(0, 10**9, 5000))
    whole = io.BytesIO(gzip.compress(lines.encode())).getvalue()
    path = tmp_path / "a.txt.gz"
    path.write_bytes(whole[: len(whole) // 2])
    assert read_lines(path) is None


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(InputError, match="there is no such file"):
        read_lines(tmp_path / "none.txt")
