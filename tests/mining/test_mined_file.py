"""Mined rows on disk: every format and layout is read back, with the provenance beside it."""

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from data.derive.conftest import dataset
from likewise import read
from likewise.errors import InputError
from likewise.mining import mined_file
from likewise.mining.draws import candidates_at
from likewise.mining.filters import Verdict
from likewise.mining.mined_file import (
    MinedRows,
    provenance_file,
    refuse_mined,
    suspicious_file,
    suspicious_table,
    write_mined,
    write_suspicious,
)

DOCUMENTS = ["p one", "p two", 'a "quoted", text', "two\nlines", "é"]


def made(*, several: bool = False, own: bool = True, **changes) -> MinedRows:
    columns = {
        "anchor": ["q one", "q two", "q three"],
        "positive": [["p one", "also one"], ["p two"], ["p two"]] if several else ["p one"] * 3,
        **({"negative": ["n one", None, None]} if own else {}),
    }
    places = np.array([[2, 3], [4, -1], [-1, -1]])
    ranks, sources = np.array([[1, 7], [0, 0], [0, 0]]), np.array([[1, 3], [0, 0], [0, 0]])
    chosen = candidates_at(places, ranks=ranks, sources=sources)
    chosen.scores[:] = [[0.5, 0.25], [0.125, 0], [0, 0]]
    usual = {
        "pairs": dataset("pairs", **columns),
        "chosen": chosen,
        "documents": DOCUMENTS,
        "names": ("minilm", "bm25"),
        "positive_scores": np.array([0.75, 0.5, 0.25]),
        "positive_relevance": None,
        "keeps_suspicious": False,
    }
    return MinedRows(**{**usual, **changes})


def lines_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


EXPECTED = [["n one", 'a "quoted", text', "two\nlines"], ["é"], []]


@pytest.mark.parametrize("ending", [".jsonl", ".parquet", ".csv"])
@pytest.mark.parametrize("layout", ["columns", "list", "rows"])
@pytest.mark.parametrize("parts", [1, 99])
def test_what_is_written_is_read_as_pairs(ending, layout, parts, tmp_path: Path, monkeypatch):
    if ending == ".csv" and layout == "list":
        return  # refused: see below
    monkeypatch.setattr(mined_file, "ROWS", parts)
    rows, out = made(), tmp_path / f"mined{ending}"
    write_mined(rows, out, layout=layout)
    data = read(out)
    assert data.kind == "pairs"
    if layout == "rows":
        assert data.texts("anchor") == ["q one"] * 3 + ["q two", "q three"]
        assert data.text_lists("negative") == [*([text] for text in EXPECTED[0]), ["é"], []]
    else:
        assert data.texts("anchor") == ["q one", "q two", "q three"]
        assert data.text_lists("negative") == EXPECTED


def test_provenance_stands_beside_each_negative(tmp_path: Path):
    out = tmp_path / "mined.jsonl"
    write_mined(made(), out, layout="columns")
    first, second, third = map(json.loads, out.read_text(encoding="utf-8").splitlines())
    assert first == {
        "anchor": "q one", "positive": "p one", "positive_score": 0.75,
        "negative_1": "n one", "negative_1_source": "data", "negative_1_rank": None,
        "negative_1_score": None,
        "negative_2": 'a "quoted", text', "negative_2_source": "minilm", "negative_2_rank": 1,
        "negative_2_score": 0.5,
        "negative_3": "two\nlines", "negative_3_source": "minilm+bm25", "negative_3_rank": 7,
        "negative_3_score": 0.25,
    }  # fmt: skip
    assert second["negative_1_source"] == "random"
    assert second["negative_2"] is second["negative_2_source"] is None
    assert third["negative_1"] is None
    write_mined(made(), tmp_path / "mined.parquet", layout="list")
    row = pq.read_table(tmp_path / "mined.parquet").to_pylist()[0]
    assert row["negative"] == EXPECTED[0]
    assert row["negative_source"] == ["data", "minilm", "minilm+bm25"]
    assert row["negative_rank"] == [None, 1, 7]


def test_a_csv_has_the_provenance_line_by_line_in_a_file_of_its_own(tmp_path: Path):
    out = tmp_path / "mined.csv"
    files = write_mined(made(several=True), out, layout="columns")
    assert files == [out, provenance_file(out)]
    texts, told = map(lines_of, files)
    assert [row["positive"] for row in texts] == ["p one", "also one", "p two", "p two"]
    assert [row["positive_score"] for row in told] == ["0.75", "0.75", "0.5", "0.25"]
    assert list(texts[0]) == ["anchor", "positive", "negative_1", "negative_2", "negative_3"]
    assert told[1]["negative_3_source"] == "minilm+bm25"
    assert told[3]["negative_1_source"] == ""
    assert len(read(out)) == 4


def test_several_positives_stay_a_list_elsewhere(tmp_path: Path):
    out = tmp_path / "mined.jsonl"
    write_mined(made(several=True, own=False), out, layout="rows")
    data = read(out)
    assert data.text_lists("positive")[:2] == [["p one", "also one"]] * 2
    assert data.texts("negative")[:3] == ['a "quoted", text', "two\nlines", "é"]


def test_the_cross_encoder_and_what_is_suspicious_are_told_where_they_are(tmp_path: Path):
    relevance = np.array([0.9, 0.8, 0.7], np.float32)
    rows = made(own=False, positive_relevance=relevance, keeps_suspicious=True)
    rows.chosen.relevance[0, 0] = 0.3
    rows.chosen.verdicts[0] = [Verdict.ABOVE, Verdict.OPEN]
    write_mined(rows, tmp_path / "mined.jsonl", layout="columns")
    first = json.loads((tmp_path / "mined.jsonl").read_text().splitlines()[0])
    assert first["positive_cross_score"] == 0.9
    assert (first["negative_1_cross_score"], first["negative_2_cross_score"]) == (0.3, None)
    assert first["negative_1_suspicious"] == "above the positive"
    assert first["negative_2_suspicious"] is None
    provenance = rows.provenance().to_pylist()
    assert [line["row"] for line in provenance] == [0, 0, 1]
    assert provenance[0] == {
        "row": 0, "negative": 'a "quoted", text', "source": "minilm", "rank": 1, "score": 0.5,
        "cross_score": 0.3, "suspicious": "above the positive", "positive_score": 0.75,
        "positive_cross_score": 0.9,
    }  # fmt: skip


def test_the_most_suspicious_stand_first_with_all_that_a_person_needs(tmp_path: Path):
    rows = made(several=True)
    rows.chosen.verdicts[:] = [[Verdict.MARGIN, Verdict.ABOVE], [Verdict.RELEVANT, 1], [1, 1]]
    rows.chosen.scores[:] = [[0.7, 0.95], [0.4, 0], [0, 0]]
    table = suspicious_table(rows, rows.chosen)
    assert table.column("why").to_pylist() == [
        "above the positive", "within the margin", "relevant to the cross-encoder",
    ]  # fmt: skip
    file = write_suspicious(table, tmp_path / "mined.jsonl")
    assert file == suspicious_file(tmp_path / "mined.jsonl")
    first = lines_of(file)[0]
    assert first["row"] == "a.csv, row 2"
    assert (first["positive"], first["candidate"]) == ("p one | also one", "two\nlines")
    assert (first["score"], first["positive_score"]) == ("0.95", "0.75")


def test_files_that_are_there_are_refused_the_ones_beside_too(tmp_path: Path):
    out = tmp_path / "mined.csv"
    usual = {"layout": "columns", "lists": True, "overwrite": False}
    refuse_mined(out, **usual)
    for file in (out, provenance_file(out), suspicious_file(out)):
        file.write_text("here")
        with pytest.raises(InputError, match="exists already") as caught:
            refuse_mined(out, **usual)
        assert caught.value.where.path == str(file)
        refuse_mined(out, **{**usual, "overwrite": True})
        file.unlink()
    with pytest.raises(InputError, match="cannot hold lists"):
        refuse_mined(out, **{**usual, "layout": "list"})
