import numpy as np
import pyarrow as pa
import pytest

from evaluation.conftest import random_vectors, table
from likewise.errors import InputError
from likewise.evaluation.pairs import evaluate_pairs, pairs_as_retrieval
from likewise.evaluation.retrieval import evaluate_retrieval


def test_equal_texts_are_one_query_or_one_document():
    data = table(kind="pairs", anchor=["a", "b", "a", "c"], positive=["x", "x", "y", "y"])
    task = pairs_as_retrieval(data)
    text = dict(zip(task.document_ids, task.documents, strict=True))
    right = {
        query: {text[d] for d in task.judgements[query_id]}
        for query_id, query in zip(task.query_ids, task.queries, strict=True)
    }
    assert right == {"a": {"x", "y"}, "b": {"x"}, "c": {"y"}}
    assert sorted(task.documents) == ["x", "y"]


def test_all_positives_of_a_row_are_right_and_negatives_are_there_to_mislead():
    data = table(
        kind="pairs",
        anchor=["a", "b"],
        positive=pa.array([["x", "y"], ["z"]]),
        negative=pa.array([["n"], None], type=pa.list_(pa.string())),
    )
    task = pairs_as_retrieval(data)
    assert sorted(task.documents) == ["n", "x", "y", "z"]
    assert [len(judged) for judged in task.judgements.values()] == [2, 1]


def test_a_negative_that_another_row_calls_right_is_one_document():
    data = table(kind="pairs", anchor=["a", "b"], positive=["x", "y"], negative=["y", "x"])
    assert sorted(pairs_as_retrieval(data).documents) == ["x", "y"]


def test_the_result_is_that_of_retrieval():
    n = 30
    data = table(
        kind="pairs", anchor=[f"a{i}" for i in range(n)], positive=[f"p{i}" for i in range(n)]
    )
    embed = random_vectors()
    ours = evaluate_pairs(embed, data, resamples=100, seed=1)
    theirs = evaluate_retrieval(embed, pairs_as_retrieval(data), resamples=100, seed=1)
    assert ours.scores == theirs.scores
    assert ours.n == n
    assert ours.task == "pairs"


def test_ids_sort_as_the_texts_do():
    texts = [f"{i:04d}" for i in range(150)]
    shuffled = np.random.default_rng(0).permutation(texts).tolist()
    task = pairs_as_retrieval(table(kind="pairs", anchor=shuffled, positive=shuffled))
    assert sorted(task.document_ids) == list(task.document_ids)
    assert list(task.documents) == texts


def test_one_text_to_find_is_refused():
    data = table(kind="pairs", anchor=["a", "b"], positive=["x", "x"])
    with pytest.raises(InputError, match="1 distinct text to find"):
        evaluate_pairs(random_vectors(), data)
