import shutil

import pyarrow as pa
import pytest
from pyarrow import parquet

from likewise.data import read
from likewise.data.dataset import RetrievalSet
from likewise.errors import InputError

QUERIES = [{"_id": "q1", "text": "one"}, {"_id": "q2", "text": "two"}]
CORPUS = [
    {"_id": "d1", "title": "Title", "text": "body"},
    {"_id": "d2", "title": "", "text": "alone"},
]
JUDGED = [
    {"query-id": "q1", "corpus-id": "d1", "score": 1},
    {"query-id": "q2", "corpus-id": "d2", "score": 2.0},
]


def write_parquet(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.Table.from_pylist(rows), path)


@pytest.fixture
def folder(tmp_path):
    """As MTEB's data sets lie on the hub, in Parquet."""
    root = tmp_path / "set"
    write_parquet(root / "queries" / "test-00000-of-00001.parquet", QUERIES)
    write_parquet(root / "corpus" / "test-00000-of-00002.parquet", CORPUS[:1])
    write_parquet(root / "corpus" / "test-00001-of-00002.parquet", CORPUS[1:])
    write_parquet(root / "data" / "test-00000-of-00001.parquet", JUDGED)
    return root


def error_of(folder, **options) -> str:
    with pytest.raises(InputError) as raised:
        read(folder, **options)
    return str(raised.value)


def check(data, *, title="Title") -> None:
    assert isinstance(data, RetrievalSet)
    assert dict(zip(data.query_ids, data.queries, strict=True)) == {"q1": "one", "q2": "two"}
    assert data.documents == ("Title body", "alone")
    assert data.judgements == {"q1": {"d1": 1}, "q2": {"d2": 2}}


def test_a_folder_as_the_hub_has_it_is_read(folder):
    data = read(folder)
    check(data)
    assert len(data.sources) == 4


@pytest.mark.parametrize("where", ["qrels", "data", "default"])
@pytest.mark.parametrize("name", ["test.parquet", "test-00000-of-00001.parquet"])
def test_judgements_lie_in_any_of_the_folders(where, name, folder):
    shutil.rmtree(folder / "data")
    write_parquet(folder / where / name, JUDGED)
    check(read(folder))


@pytest.mark.parametrize("end", ["", ".gz"])
def test_jsonl_is_read_too(end, folder, write):
    for name, rows in (("queries", QUERIES), ("corpus", CORPUS)):
        shutil.rmtree(folder / name)
        write(f"set/{name}.jsonl{end}", rows)
    shutil.rmtree(folder / "data")
    write(f"set/qrels/test.jsonl{end}", JUDGED)
    check(read(folder))


def test_an_id_may_be_called_id_and_be_a_number(folder):
    renamed = [{"id": i, "text": row["text"]} for i, row in enumerate(QUERIES)]
    write_parquet(folder / "queries" / "test-00000-of-00001.parquet", renamed)
    judged = [{**row, "query-id": i} for i, row in enumerate(JUDGED)]
    write_parquet(folder / "data" / "test-00000-of-00001.parquet", judged)
    assert read(folder).judgements == {"0": {"d1": 1}, "1": {"d2": 2}}


def test_queries_of_several_splits_are_told_apart(folder):
    write_parquet(folder / "queries" / "dev-00000-of-00001.parquet", QUERIES[:1])
    write_parquet(folder / "data" / "dev-00000-of-00001.parquet", JUDGED[:1])
    check(read(folder))
    assert read(folder, split="dev").query_ids == ("q1",)
    message = error_of(folder, split="train")
    assert 'files of dev, test, and none of "train"' in message
    assert "--split dev or --split test" in message


def test_a_missing_split_of_judgements_names_those_there(folder):
    write_parquet(folder / "qrels" / "dev.parquet", JUDGED)
    message = error_of(folder, split="train")
    assert 'no judgements for the split "train"' in message
    assert message.endswith("--split dev or --split test")


def test_a_bad_judgement_names_file_row_and_column(folder):
    path = folder / "data" / "test-00000-of-00001.parquet"
    wrong = [
        {"query-id": "q1", "corpus-id": "d9", "score": 1.0},
        {"query-id": "q7", "corpus-id": "d1", "score": 1.0},
        {"query-id": "q1", "corpus-id": "d1", "score": 0.5},
        {"query-id": None, "corpus-id": "d1", "score": None},
    ]
    write_parquet(path, [*JUDGED, *wrong])
    message = error_of(folder)
    assert f'{path}, row 3, column "corpus-id": there is no document "d9"' in message
    assert f'{path}, row 4, column "query-id": there is no query "q7"' in message
    assert f'{path}, row 5, column "score": expected a whole number' in message
    assert f'{path}, row 6, column "query-id": there is no query ""' in message
    check(read(folder, skip_bad=True))


def test_a_missing_column_prints_the_header(folder):
    path = folder / "data" / "test-00000-of-00001.parquet"
    write_parquet(path, [{"query-id": "q1", "doc": "d1", "score": 1}])
    message = error_of(folder)
    assert str(path) in message
    assert "no column is named corpus-id" in message


def test_reranking_rows_are_pairs(write):
    row = {"query": "q", "positive": ["a", "b"], "negative": ["c"]}
    data = read(write("reranking.jsonl", [row]))
    assert data.kind == "pairs"
    assert data.text_lists("positive") == [["a", "b"]]
    assert data.text_lists("negative") == [["c"]]
