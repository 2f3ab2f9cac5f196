import itertools

import pytest

from likewise.models.prompts import task_prompt

ORDER = ("NQ-query", "NQ", "Retrieval-query", "Retrieval", "query")


def chosen(prompts, role="query"):
    return task_prompt(prompts, task="NQ", task_type="Retrieval", role=role)


def test_the_most_special_prompt_wins_in_mteb_s_order():
    for first, second in itertools.combinations(ORDER, 2):
        assert chosen({second: "", first: ""}) == first


def test_a_task_without_sides_takes_no_prompt_of_a_side():
    assert chosen(dict.fromkeys(ORDER, ""), role=None) == "NQ"
    assert chosen({"NQ-query": "", "query": ""}, role=None) is None


@pytest.mark.parametrize("name", ["document", "passage", "corpus"])
def test_a_document_s_prompt_goes_by_the_names_that_the_peer_looks_for(name):
    assert chosen({"query": "", name: ""}, role="document") == name


def test_without_any_of_them_there_is_none():
    assert chosen({"other": "", "STS": ""}) is None


def test_mteb_chooses_the_same():
    abs_encoder = pytest.importorskip("mteb.models.abs_encoder", reason="mteb is not installed")
    mteb = pytest.importorskip("mteb")
    metadata = mteb.get_task("NQ").metadata
    for n, role in itertools.product(range(len(ORDER) + 1), ("query", "document", None)):
        for names in itertools.combinations(ORDER, n):
            kind = None if role is None else mteb.types.PromptType(role)
            expected = abs_encoder.get_prompt_name(dict.fromkeys(names, ""), metadata, kind)
            assert chosen(names, role=role) == expected
