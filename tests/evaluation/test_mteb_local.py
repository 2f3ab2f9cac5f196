import json

import pyarrow as pa
import pytest
from pyarrow import parquet

from likewise.errors import InputError
from likewise.evaluation.mteb_local import load_local

mteb = pytest.importorskip("mteb", reason="mteb is not installed")
ROWS = [{"text": f"text {i}", "label": i % 2} for i in range(4)]
SCORED = [{"sentence1": "a", "sentence2": "b", "score": i} for i in (1, 2)]


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        parquet.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".csv":
        lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
        path.write_text("\n".join(lines))
    else:
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def loaded(name, path, **options):
    task = mteb.get_task(name)
    return task, load_local(task, path, **options)


def error_of(name, path) -> str:
    with pytest.raises(InputError) as raised:
        load_local(mteb.get_task(name), path)
    return str(raised.value)


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train.jsonl", "test.csv"),
        ("train.parquet", "data/test-00000-of-00001.parquet"),
        ("train/part.jsonl", "test/0.parquet"),
    ],
)
def test_a_split_is_a_file_or_several_under_its_name(train, test, tmp_path):
    write(tmp_path / train, ROWS)
    write(tmp_path / test, ROWS[:2])
    task, _ = loaded("Banking77Classification", tmp_path)
    splits = task.dataset["default"]
    assert {name: len(rows) for name, rows in splits.items()} == {"train": 4, "test": 2}
    assert task.data_loaded


def test_shards_are_read_one_after_the_other(tmp_path):
    for i in range(2):
        write(tmp_path / f"test-0000{i}-of-00002.parquet", SCORED[i : i + 1])
    task, _ = loaded("STS12", tmp_path)
    assert task.dataset["default"]["test"]["score"][:] == [1.0, 2.0]


def test_one_file_is_enough_where_nothing_is_learned(tmp_path):
    task, _ = loaded("STS12", write(tmp_path / "any.jsonl", SCORED))
    assert len(task.dataset["default"]["test"]) == 2
    message = error_of("Banking77Classification", write(tmp_path / "one.jsonl", ROWS))
    assert "one.jsonl: one file, while Banking77Classification needs test and train" in message


def test_the_revision_in_the_results_is_that_of_the_rows(tmp_path):
    official = mteb.get_task("STS12").metadata.revision
    first, _ = loaded("STS12", write(tmp_path / "a.jsonl", SCORED))
    again, _ = loaded("STS12", write(tmp_path / "b.jsonl", SCORED))
    other, _ = loaded("STS12", write(tmp_path / "c.jsonl", SCORED[:1] * 2))
    assert first.metadata.revision.startswith("local-")
    assert first.metadata.revision == again.metadata.revision != other.metadata.revision
    assert mteb.get_task("STS12").metadata.revision == official


def test_a_split_that_is_not_here_is_left_out_and_said(tmp_path):
    write(tmp_path / "dev.jsonl", ROWS)
    write(tmp_path / "train.jsonl", ROWS)
    name = next(n for n in ("MTOPDomainClassification", "MassiveIntentClassification"))
    task = mteb.get_task(name, languages=["eng"])
    assert {"test", "validation"} >= set(task.eval_splits)
    english = tmp_path / task.hf_subsets[0]
    for split in ("dev", "train"):
        write(english / f"{split}.jsonl", ROWS)
    task.filter_eval_splits(["validation", "test"])
    notes = load_local(task, tmp_path)
    assert list(task.eval_splits) == ["validation"]
    assert "the split test is not here, and not measured" in notes


def test_a_task_in_several_languages_has_a_folder_of_each(tmp_path):
    task = mteb.get_task("MTOPDomainClassification")
    for subset in task.hf_subsets[:2]:
        for split in (*task.eval_splits, "train"):
            write(tmp_path / subset / f"{split}.jsonl", ROWS)
    wanted = task.hf_subsets[:2]
    load_local(task, tmp_path)
    assert task.hf_subsets == wanted == list(task.dataset)
    (tmp_path / "empty").mkdir()
    message = error_of("MTOPDomainClassification", tmp_path / "empty")
    assert "no folder of a language of MTOPDomainClassification is here" in message
    assert f"make one a language: {wanted[0]}" in message


def test_a_missing_split_says_what_to_write(tmp_path):
    write(tmp_path / "test.jsonl", ROWS)
    message = error_of("Banking77Classification", tmp_path)
    assert f"{tmp_path}: there is no file of the split train" in message
    assert "train.csv, .tsv, .jsonl or .parquet, with the columns text, label" in message
    (tmp_path / "test.jsonl").unlink()
    assert "there is no file of the split test" in error_of("STS12", tmp_path)
    assert "no such file" in error_of("STS12", tmp_path / "nowhere")


def test_a_bad_row_names_file_row_and_column(tmp_path):
    path = write(tmp_path / "test.jsonl", [*SCORED, {**SCORED[0], "score": "high"}])
    assert f'{path}, row 3, column "score": expected a number' in error_of("STS12", tmp_path)
    task, notes = loaded("STS12", tmp_path, skip_bad=True)
    assert len(task.dataset["default"]["test"]) == 2
    assert "test: bad rows skipped: 1" in notes


def test_what_the_task_would_do_to_the_hub_s_data_is_said_to_be_left_undone(tmp_path):
    path = write(tmp_path / "test.jsonl", [{"sentences": "a", "labels": 1}])
    _, notes = loaded("TwentyNewsgroupsClustering.v2", path)
    assert any("dataset_transform" in note for note in notes)
    _, notes = loaded("STS12", write(tmp_path / "sts.jsonl", SCORED))
    assert not any("dataset_transform" in note for note in notes)


def test_a_type_without_a_layout_is_refused(tmp_path):
    message = error_of("SummEval", tmp_path)
    assert "a task of the type Summarization is not read from local files" in message
    assert "there are layouts for Classification, STS" in message


def test_a_retrieval_task_wants_its_folder(retrieval_folder, tmp_path):
    task, _ = loaded("NFCorpus", retrieval_folder)
    assert len(task.dataset["default"]["test"]["queries"]) == 16
    message = error_of("NFCorpus", retrieval_folder / "corpus.jsonl")
    assert "one file of a retrieval set" in message
