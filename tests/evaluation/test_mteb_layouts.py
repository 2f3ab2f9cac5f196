"""Each layout against what the task's own class takes; files are in test_mteb_local."""

import json

import pytest

from likewise.data.reading import read
from likewise.errors import InputError
from likewise.evaluation.mteb_layouts import LAYOUTS

mteb = pytest.importorskip("mteb", reason="mteb is not installed")
TASKS = {
    "Classification": "Banking77Classification.v2",
    "STS": "STS12",
    "PairClassification": "SprintDuplicateQuestions",
    "Clustering": "TwentyNewsgroupsClustering.v2",
    "BitextMining": "BornholmBitextMining",
    "Retrieval": "NFCorpus",
    "Reranking": "AskUbuntuDupQuestions",
}


def rows(tmp_path, *records, **options):
    path = tmp_path / "test.jsonl"
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    return read(path, **options)


def converted(type_name, data):
    task = mteb.get_task(TASKS[type_name])
    assert task.metadata.type == type_name
    return LAYOUTS[type_name].convert(task, {"test": data})["test"]


def test_there_is_an_example_of_every_layout():
    assert TASKS.keys() == LAYOUTS.keys()


@pytest.mark.parametrize(
    ("labels", "numbers"), [(["b", "a", "b"], [1, 0, 1]), (["10", "9", "-1"], [10, 9, -1])]
)
def test_labels_are_their_own_numbers_or_their_place(labels, numbers, tmp_path):
    data = rows(tmp_path, *({"text": f"t{i}", "label": x} for i, x in enumerate(labels)))
    found = converted("Classification", data)
    assert (found["text"][:], found["label"][:]) == (["t0", "t1", "t2"], numbers)


def test_scores_keep_their_unit(tmp_path):
    data = rows(tmp_path, {"sentence1": "a", "sentence2": "b", "score": 3.5})
    assert converted("STS", data)[0] == {"sentence1": "a", "sentence2": "b", "score": 3.5}


def test_pair_labels_are_one_pair_a_row(tmp_path):
    data = rows(tmp_path, {"sent1": ["a", "b"], "sent2": ["c", "d"], "labels": [1, 0]})
    found = converted("PairClassification", data)
    assert found[1] == {"sentence1": "b", "sentence2": "d", "labels": 0}


def test_sets_stay_sets_for_the_older_class_and_are_one_for_the_newer(tmp_path):
    data = rows(
        tmp_path,
        {"sentences": ["a", "b"], "labels": [1, 2]},
        {"sentences": ["c"], "labels": [1]},
    )
    assert converted("Clustering", data)["sentences"][:] == ["a", "b", "c"]
    older = mteb.get_task("TwentyNewsgroupsClustering")
    found = LAYOUTS["Clustering"].convert(older, {"test": data})["test"]
    assert found[0] == {"sentences": ["a", "b"], "labels": ["1", "2"]}
    assert found[1] == {"sentences": ["c"], "labels": ["1"]}


def test_single_texts_are_one_set_for_the_older_class(tmp_path):
    data = rows(tmp_path, {"text": "a", "label": 1}, {"text": "b", "label": 2})
    older = mteb.get_task("TwentyNewsgroupsClustering")
    found = LAYOUTS["Clustering"].convert(older, {"test": data})["test"]
    assert found[:] == {"sentences": [["a", "b"]], "labels": [["1", "2"]]}


def test_bitexts_stand_side_by_side(tmp_path):
    data = rows(tmp_path, {"anchor": "et æble", "positive": "an apple"})
    found = converted("BitextMining", data)
    assert found[0] == {"sentence1": "et æble", "sentence2": "an apple"}


def test_a_title_is_no_part_of_the_text(retrieval_folder):
    documents = [{"_id": "d0", "title": "On apples", "text": "they are red"}]
    others = [{"_id": f"d{i}", "text": f"text {i}"} for i in range(1, 64)]
    lines = "".join(f"{json.dumps(row)}\n" for row in documents + others)
    (retrieval_folder / "corpus.jsonl").write_text(lines)
    data = read(retrieval_folder)
    found = converted("Retrieval", data)
    assert found["corpus"][0] == {"id": "d0", "title": "On apples", "text": "they are red"}
    assert found["queries"]["id"][:] == list(data.query_ids)
    assert found["relevant_docs"] == data.judgements


def test_reranking_rows_become_what_mteb_makes_of_them(tmp_path):
    given = [
        {"query": "q", "positive": ["yes", "also"], "negative": ["no"]},
        {"query": "left out", "positive": ["yes"], "negative": []},
    ]
    data = rows(tmp_path, *given)
    found = converted("Reranking", data)
    made = mteb.abstasks.AbsTaskReranking._process_example(None, given[0], "test", 0)
    assert found["queries"][:] == {"id": [made["query_id"]], "text": ["q"]}
    assert found["corpus"]["id"][:] == made["doc_ids"]
    assert found["corpus"]["text"][:] == made["doc_texts"]
    assert list(found["relevant_docs"][made["query_id"]].values()) == made["relevance_scores"]
    assert found["top_ranked"] == {made["query_id"]: made["doc_ids"]}


def test_rows_without_anything_to_put_in_order_are_refused(tmp_path):
    data = rows(tmp_path, {"query": "q", "positive": ["yes"]})
    with pytest.raises(InputError, match="no row has both positive and negative texts"):
        converted("Reranking", data)
