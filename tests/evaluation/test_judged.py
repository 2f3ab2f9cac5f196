from dataclasses import replace

import numpy as np
import pytest

from likewise.errors import InputError
from likewise.evaluation.judged import Judged
from likewise.mining.neighbours import Ranking


def test_queries_and_documents_stand_by_id_whatever_their_order_in_the_files(retrieval_set):
    turned = replace(
        retrieval_set,
        query_ids=retrieval_set.query_ids[::-1],
        queries=retrieval_set.queries[::-1],
        document_ids=retrieval_set.document_ids[::-1],
        documents=retrieval_set.documents[::-1],
    )
    first, second = Judged(data=retrieval_set), Judged(data=turned)
    assert first.query_ids == second.query_ids == sorted(retrieval_set.query_ids)
    assert first.document_ids == second.document_ids
    assert first.queries == second.queries
    assert first.documents == second.documents
    assert first.documents[0] == f"document {first.document_ids[0][1:]}"


def test_of_two_equal_documents_the_later_id_stands_first(retrieval_set):
    ids = Judged(data=retrieval_set).document_ids
    assert ids == sorted(ids, reverse=True)


def test_queries_without_a_relevant_document_are_left_out(retrieval_set):
    judgements = {**retrieval_set.judgements, "q0": {"d0": 0}, "q1": {}}
    del judgements["q2"]
    task = Judged(data=replace(retrieval_set, judgements=judgements))
    assert set(retrieval_set.query_ids) - set(task.query_ids) == {"q0", "q1", "q2"}


def test_grades_are_those_of_the_ranked_documents(retrieval_set):
    judgements = {"q5": {"d1": 3, "d2": 1, "elsewhere": 2}}
    task = Judged(data=replace(retrieval_set, judgements=judgements))
    places = [task.positions[d] for d in ("d7", "d2", "d1")]
    ranking = Ranking(positions=np.array([[*places, -1]]), scores=np.zeros((1, 4)))
    assert task.grades(ranking).tolist() == [[0, 1, 3, 0]]
    assert sorted(task.all_grades()[0].tolist()) == [1, 2, 3]


def test_only_the_query_itself_is_its_own_document(retrieval_set):
    data = replace(
        retrieval_set,
        document_ids=("q0", "q1", "q2", *retrieval_set.document_ids[3:]),
        documents=("its title. query 0", "another text", "query 2", *retrieval_set.documents[3:]),
        judgements={f"q{i}": {"d9": 1} for i in range(3)} | {"q2": {"q2": 1}},
    )
    task = Judged(data=data)
    assert [task.query_ids[i] for i in np.flatnonzero(task.own_documents >= 0)] == ["q0"]
    assert task.document_ids[task.own_documents[0]] == "q0"


def test_a_set_with_nothing_to_find_is_refused(retrieval_set):
    zero = {q: dict.fromkeys(d, 0) for q, d in retrieval_set.judgements.items()}
    with pytest.raises(InputError, match=r"none of the 120 queries has a relevant document"):
        Judged(data=replace(retrieval_set, judgements=zero))
    with pytest.raises(InputError, match="the corpus is empty"):
        Judged(data=replace(retrieval_set, document_ids=(), documents=()))
