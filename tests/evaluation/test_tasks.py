from dataclasses import replace

import pytest

from likewise.evaluation.tasks import task_name


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("questions.csv", "questions"),
        ("data/stsb/dev.csv.gz", "stsb/dev"),
        ("dev.jsonl", "dev"),
        ("../dev.jsonl", "dev"),
        ("C:\\data\\mine\\test.csv", "mine/test"),
        ("hub:org/name:config:test", "org/name:config:test"),
    ],
)
def test_a_file_is_called_by_its_name_and_a_split_by_its_folder_too(scored_set, source, name):
    assert task_name(replace(scored_set, sources=(source,))) == name


def test_data_from_nowhere_is_called_by_its_kind(scored_set):
    assert task_name(replace(scored_set, sources=())) == "scored"


def test_a_retrieval_set_bears_its_name_and_an_unusual_split(retrieval_set):
    assert task_name(retrieval_set) == "memory"
    assert task_name(replace(retrieval_set, split="train")) == "memory/train"
