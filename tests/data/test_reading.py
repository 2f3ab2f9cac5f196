import gzip
import io
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from likewise.data import read
from likewise.data.dataset import Dataset, RetrievalSet
from likewise.data.leakage import leaked_rows
from likewise.errors import InputError

PAIRS = "anchor,positive\na,b\nc,d\n"


def error_of(source, **options) -> InputError:
    with pytest.raises(InputError) as raised:
        read(source, **options)
    return raised.value


def test_every_format_gives_the_same_data(write):
    rows = [{"query": "a, x", "answer": "b\nc"}, {"query": "é", "answer": '"'}]
    table = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), table)
    quoted = 'query{0}answer\n"a, x"{0}"b\nc"\né{0}""""\n'
    files = [
        write("a.csv", quoted.format(",")),
        write("a.tsv", quoted.format("\t")),
        write("a.jsonl", rows),
        write("a.csv.gz", quoted.format(",")),
        write("a.tsv.gz", quoted.format("\t")),
        write("a.jsonl.gz", rows),
        write("a.parquet", table.getvalue()),
    ]
    assert len({read(path).fingerprint for path in files}) == 1
    assert read(files[0]).row.tolist() == [2, 4]


def test_several_files_are_one_after_the_other(write):
    first = write("a.csv", PAIRS)
    second = write("b.jsonl", [{"query": "e", "answer": ["f", "g"], "negative": "h"}])
    data = read([first, str(second)])
    assert data.texts("anchor") == ["a", "c", "e"]
    assert data.text_lists("positive") == [["b"], ["d"], ["f", "g"]]
    assert data.text_lists("negative") == [[], [], ["h"]]
    assert data.sources == (str(first), str(second))
    assert str(data.where(2)) == f"{second}, row 1"
    assert read([second, first]).text_lists("negative") == [["h"], [], []]


def test_files_of_two_kinds_are_an_error(write):
    error = error_of([write("a.csv", PAIRS), write("b.txt", "x\n")])
    assert "of kind texts, while" in str(error)


def test_a_scale_is_inferred_over_all_files(write):
    head = "sentence1,sentence2,score\n"
    files = [write("a.csv", head + "a,b,0.5\n"), write("b.csv", head + "a,c,5\n")]
    assert read(files).score_range == (0, 5)


def test_what_cannot_be_read_says_what_can(write, tmp_path):
    assert "there is no such file" in str(error_of(tmp_path / "none.csv"))
    assert "CSV UTF-8" in error_of(write("a.xlsx", "x")).mend
    assert ".jsonl, .csv, .tsv, .parquet, .txt" in error_of(write("a.pdf", "x")).mend
    assert "no ending" in error_of(write("noend", "x")).problem
    assert "no data" in str(error_of([]))


def test_a_folder_that_is_no_retrieval_set_says_what_is_in_it(write, tmp_path):
    path = write("d/train.csv", PAIRS)
    assert error_of(tmp_path / "d").mend == f"name a file in it: {path}"
    (tmp_path / "e").mkdir()
    assert "queries.jsonl" in error_of(tmp_path / "e").mend
    assert "a folder among files" in str(error_of([path, tmp_path / "d"]))
    assert "not as pairs" in str(error_of(tmp_path / "d", kind="pairs"))


def test_parquet_of_the_wrong_type_names_row_and_column(write):
    table = io.BytesIO()
    pq.write_table(pa.table({"anchor": ["a", "b"], "positive": [1, 2]}), table)
    error = error_of(write("a.parquet", table.getvalue()))
    assert "2 problems" in str(error)
    assert 'row 1, column "positive": expected a text, found the number 1' in str(error)


def test_latin1_is_an_error_with_the_command_and_a_skip_on_request(write):
    path = write("a.csv", "anchor,positive\na,b\ncafé,d\n".encode("latin1"))
    error = error_of(path)
    assert str(error).startswith(f"{path}, row 3: byte 4 of the line is not UTF-8 (0xe9)")
    assert f"iconv -f latin1 -t utf-8 {path} > utf8.csv" in error.mend
    assert read(path, skip_bad=True).texts("anchor") == ["a"]


def test_a_cut_gzip_is_an_error_and_a_counted_skip_on_request(tmp_path):
    draw = random.Random(0)
    rows = "".join(f"{draw.random()},{draw.random()}\n" for _ in range(5000))
    path = tmp_path / "a.csv.gz"
    packed = gzip.compress(f"anchor,positive\n{rows}".encode())
    path.write_bytes(packed[: len(packed) * 3 // 4])
    assert "the gzip is cut off or damaged" in str(error_of(path))
    data = read(path, skip_bad=True)
    assert 2000 < len(data) < 5000
    assert any("bad rows skipped" in note.text and note.count == 1 for note in data.notes)


def test_notes_say_what_was_bound_ignored_and_meant(write):
    data = read(write("a.csv", "query,positive,date\na,b,c\n"))
    assert [note.text for note in data.notes] == [
        "anchor is the column query",
        "columns ignored: date",
    ]


# What the shared sets hold, from their README: folder/file, kind, rows, options
SHARED_SETS = [
    ("stsb/train", "scored", 5749, {}),
    ("stsb/dev", "scored", 1500, {}),
    ("nli/train", "nli", 98_847, {}),
    ("nli/dev", "nli", 2600, {}),
    ("sick/train", "scored", 4500, {"kind": "scored"}),
    ("sick/dev", "nli", 500, {
        "columns": {"premise": "sentence1", "hypothesis": "sentence2", "label": "label"}
    }),
    ("mrpc/train", "pair-labels", 3467, {}),
    ("mrpc/dev", "pair-labels", 482, {}),
    ("banking77/train", "labelled", 10_003, {}),
    ("banking77/test", "labelled", 3080, {}),
    ("stackoverflow/train", "labelled", 12_985, {}),
    ("stackoverflow/dev", "labelled", 2000, {}),
    ("biomedical/train", "labelled", 12_997, {}),
    ("biomedical/dev", "labelled", 2000, {}),
    ("agnews/train10k", "labelled", 10_001, {}),
    ("sst2/train", "labelled", 67_349, {}),
    ("sst2/dev", "labelled", 872, {}),
    ("reviews/train", "labelled", 7066, {}),
    ("reviews/dev", "labelled", 786, {}),
    ("trecqa/train", "reranking", 4718, {}),
    ("trecqa/dev", "reranking", 1148, {}),
]  # fmt: skip


@pytest.mark.shared
@pytest.mark.parametrize(("name", "kind", "rows", "options"), SHARED_SETS)
def test_a_shared_set_is_read_whole(name, kind, rows, options, shared):
    data = read(shared / f"{name}.csv.gz", **options)
    assert isinstance(data, Dataset)
    assert (data.kind, len(data)) == (kind, rows)


@pytest.mark.shared
def test_shared_sets_that_fit_two_kinds_ask_first(shared):
    assert "scored, pair-labels" in str(error_of(shared / "sick" / "train.csv.gz"))


@pytest.mark.shared
def test_shared_scales_are_those_of_their_readme(shared):
    assert read(shared / "stsb" / "train.csv.gz").score_range == (0, 5)
    assert read(shared / "sick" / "train.csv.gz", kind="scored").score_range == (1, 5)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "split", "queries", "documents", "judgements"),
    [
        ("scifact", "test", 300, 5183, 339),
        ("scifact", "train", 809, 5183, 919),
        ("cisi", "test", 76, 1460, 3114),
    ],
)
def test_a_shared_retrieval_set_is_read_whole(name, split, queries, documents, judgements, shared):
    data = read(shared / name, split=split)
    assert isinstance(data, RetrievalSet)
    assert (len(data.queries), len(data.documents)) == (queries, documents)
    assert sum(len(judged) for judged in data.judgements.values()) == judgements


@pytest.mark.shared
def test_leaked_rows_are_those_that_plain_sets_of_texts_find(shared):
    """The same by another way: sets of lower-case words, on real data."""
    import re

    train, dev = read(shared / "stsb" / "train.csv.gz"), read(shared / "stsb" / "dev.csv.gz")

    def rows(data):
        both = zip(data.texts("sentence1"), data.texts("sentence2"), strict=True)
        fold = lambda text: " ".join(re.findall(r"[^\W_]+|[#%&@$+<=>^`|~]", text.casefold()))  # noqa: E731
        return [frozenset((fold(a), fold(b))) for a, b in both]

    seen = set(rows(train))
    expected = [i for i, row in enumerate(rows(dev)) if row in seen]
    assert leaked_rows(train, dev).tolist() == expected


def test_plain_texts_are_read_alike_in_blocks_and_line_by_line(write, monkeypatch):
    path = write("a.txt", "one\r\n\n  two \n\u3042\n")
    whole = read(path)
    monkeypatch.setattr("likewise.data.reading.read_lines", lambda _: None)
    by_line = read(path)
    assert whole.texts("text") == ["one", "  two ", "\u3042"]
    assert whole.row.tolist() == by_line.row.tolist() == [1, 3, 4]
    assert whole.fingerprint == by_line.fingerprint
    assert (whole.columns, whole.notes) == (by_line.columns, by_line.notes)


def test_plain_texts_that_are_wrong_are_told_row_by_row(write):
    path = write("a.txt", b"one\ncaf\xe9\n\xe3\x80\x80\n")
    error = error_of(path)
    assert "row 2: byte 4 of the line is not UTF-8" in str(error)
    assert 'row 3, column "text": the text is empty' in str(error)
    assert read(path, skip_bad=True).texts("text") == ["one"]


def test_plain_texts_take_no_other_columns_or_kind(write):
    path = write("a.txt", "one\n")
    assert "none" in str(error_of(path, columns={"text": "none"}))
    assert "pairs" in str(error_of(path, kind="pairs"))
    assert read(path, columns={"text": "text"}).texts("text") == ["one"]
