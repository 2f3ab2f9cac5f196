from pathlib import Path

import pytest

from likewise.errors import InputError
from likewise.methods.plain_texts import distinct_texts
from training.small_runs import make_data, make_fit, nli


def test_a_text_that_stands_twice_is_taken_once_and_said(tiny_encoder, tmp_path: Path):
    fit = make_fit(tiny_encoder, tmp_path)
    data = make_data("texts", text=["b", "a", "b", "B.", "a", "b"])
    found = distinct_texts(fit, data)
    assert found.texts("text") == ["b", "a", "B."]
    assert [str(found.where(row)) for row in (0, 2)] == [
        "memory.jsonl, row 1",
        "memory.jsonl, row 4",
    ]
    assert fit.notes == ["texts that stand in another row too were left out: 3"]


def test_texts_that_all_differ_are_left_as_they_are(tiny_encoder, tmp_path: Path):
    fit, data = make_fit(tiny_encoder, tmp_path), make_data("texts", text=["a", "b", "A"])
    assert distinct_texts(fit, data) is data
    assert fit.notes == []


def test_of_other_data_every_text_column_is_taken(tiny_encoder, tmp_path: Path):
    data = nli(6)
    found = distinct_texts(make_fit(tiny_encoder, tmp_path), data)
    assert found.kind == "texts"
    assert found.texts("text") == data.all_texts()


@pytest.mark.parametrize("texts", [["a"], ["a", "a", "a"], ["a", "A!", "a."]])
def test_a_corpus_of_one_text_is_refused(texts, tiny_encoder, tmp_path: Path):
    with pytest.raises(InputError, match=f"all {len(texts)} rows have the same text") as caught:
        distinct_texts(make_fit(tiny_encoder, tmp_path), make_data("texts", text=texts))
    assert "likewise check" in caught.value.mend
