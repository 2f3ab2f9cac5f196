import pytest

from data.derive.conftest import dataset
from likewise.data.derive import reranking_to_pair_labels, reranking_to_pairs
from likewise.errors import InputError


@pytest.fixture
def judged():
    return dataset(
        "reranking",
        query=["q", "q", "r", "Q!", "q", "s", "q"],
        document=["a", "b", "c", "d", "B", "e", "A."],
        label=[1, 0, 0, 2, 0, 1, 0],
    )


def test_queries_become_rows_with_answers_and_negatives(judged):
    pairs = reranking_to_pairs(judged)
    assert pairs.kind == "pairs"
    assert pairs.texts("anchor") == ["q", "s"]
    assert pairs.text_lists("positive") == [["a", "d"], ["e"]]
    assert pairs.text_lists("negative") == [["b"], []]  # A. is an answer in another row
    assert list(pairs.row) == [2, 7]
    assert pairs.where(1, "positive").column == "document"
    assert {note.text: note.count for note in pairs.notes} == {
        "queries became pairs of query and answers": 2,
        "documents that do not answer are hard negatives": 1,
        "queries without an answer were left out": 1,
    }


def test_one_answer_a_query_is_a_text_and_no_list(judged):
    pairs = reranking_to_pairs(judged.take([0, 1, 5]))
    assert pairs.texts("positive") == ["a", "e"]
    assert pairs.texts("negative") == ["b", None]


def test_grades_become_the_labels_0_and_1(judged):
    labels = reranking_to_pair_labels(judged)
    assert labels.kind == "pair-labels"
    assert labels.texts("sentence2") == judged.texts("document")
    assert labels.labels() == [1, 0, 0, 1, 0, 1, 0]
    assert labels.where(3, "label").column == "label"


def test_without_any_answer_there_are_no_pairs(judged):
    with pytest.raises(InputError, match="none of 3 documents answers its query"):
        reranking_to_pairs(judged.take([1, 2, 4]))
