from pathlib import Path

import numpy as np
import pytest
from torch import nn

from likewise.errors import InputError
from likewise.models import draft_file
from likewise.models.draft_file import (
    Job,
    beside,
    discard_mark,
    fingerprint,
    refuse_output,
    write_draft,
)


class Stop(Exception):
    """Stands for the user's Ctrl-C."""


def job(*, rows: int = 5, mark: str = "one", stop_at: int | None = None, seen=None) -> Job:
    """Row i is [i, 10 i]; every third row is over the limit."""

    def compute(asked: slice) -> tuple[np.ndarray, int]:
        if stop_at is not None and asked.start >= stop_at:
            raise Stop
        if seen is not None:
            seen.append((asked.start, asked.stop))
        places = np.arange(asked.start, asked.stop)
        values = np.stack([places, 10 * places], axis=1).astype(np.float32)
        return values, int((places % 3 == 0).sum())

    return Job(rows=rows, width=2, fingerprint=mark, compute=compute, label="counting")


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft_file, "CHUNK", 2)


def test_rows_are_computed_in_order_a_chunk_at_a_time(tmp_path: Path):
    seen: list[tuple[int, int]] = []
    draft = write_draft(tmp_path / "out.npy", job(seen=seen), progress=False)
    assert seen == [(0, 2), (2, 4), (4, 5)]
    assert draft.values.tolist() == [[i, 10 * i] for i in range(5)]
    assert (draft.cut, draft.resumed) == (2, 0)
    assert draft.path == beside(tmp_path / "out.npy", ".partial")
    np.testing.assert_array_equal(np.load(draft.path), draft.values)


@pytest.mark.parametrize("stop_at", [0, 2, 4])
def test_an_interrupted_draft_goes_on_where_it_stopped(stop_at: int, tmp_path: Path):
    out = tmp_path / "out.npy"
    with pytest.raises(Stop):
        write_draft(out, job(stop_at=stop_at), progress=False)
    seen: list[tuple[int, int]] = []
    draft = write_draft(out, job(seen=seen), progress=False)
    assert draft.resumed == stop_at
    assert [start for start, _ in seen] == list(range(stop_at, 5, 2))
    assert draft.values.tolist() == [[i, 10 * i] for i in range(5)]
    assert draft.cut == 2


@pytest.mark.parametrize("damage", ["other work", "no draft", "no mark", "broken mark"])
def test_a_draft_of_other_work_or_a_damaged_one_is_begun_anew(damage: str, tmp_path: Path):
    out = tmp_path / "out.npy"
    with pytest.raises(Stop):
        write_draft(out, job(stop_at=2), progress=False)
    if damage == "no draft":
        beside(out, ".partial").unlink()
    elif damage == "no mark":
        beside(out, ".partial.json").unlink()
    elif damage == "broken mark":
        beside(out, ".partial.json").write_text('{"fingerprint": "one", "do')
    seen: list[tuple[int, int]] = []
    mark = "two" if damage == "other work" else "one"
    assert write_draft(out, job(mark=mark, seen=seen), progress=False).resumed == 0
    assert seen[0] == (0, 2)


def test_a_mark_is_discarded_once(tmp_path: Path):
    out = tmp_path / "out.npy"
    write_draft(out, job(), progress=False)
    discard_mark(out)
    discard_mark(out)
    assert {path.name for path in tmp_path.iterdir()} == {".out.npy.partial"}


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("out.csv", 'cannot write numbers to ".csv"'),
        ("absent/out.npy", "its folder does not exist"),
        ("there.npy", "exists already"),
    ],
)
def test_what_cannot_be_written_is_refused(name: str, problem: str, tmp_path: Path):
    (tmp_path / "there.npy").write_bytes(b"mine")
    with pytest.raises(InputError, match=problem.replace(".", r"\.")):
        refuse_output(tmp_path / name, what="numbers", overwrite=False)


def test_what_is_there_may_be_replaced_when_asked(tmp_path: Path):
    (tmp_path / "there.npy").write_bytes(b"mine")
    refuse_output(tmp_path / "there.npy", what="numbers", overwrite=True)


def test_a_fingerprint_tells_weights_texts_their_order_and_options_apart():
    module, other = nn.Linear(2, 2), nn.Linear(2, 2)
    known = [
        fingerprint(module, ["ab", "c"], {"a": 1}),
        fingerprint(other, ["ab", "c"], {"a": 1}),
        fingerprint(module, ["a", "bc"], {"a": 1}),
        fingerprint(module, ["c", "ab"], {"a": 1}),
        fingerprint(module, ["ab", "c"], {"a": 2}),
        fingerprint(module, ["ab", "c", ""], {"a": 1}),
    ]
    assert len(set(known)) == len(known)
    assert fingerprint(module, iter(["ab", "c"]), {"a": 1}) == known[0]
    assert fingerprint(module, ["\ud800"], {}) != fingerprint(module, ["\ud801"], {})
