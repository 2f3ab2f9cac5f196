"""What fits some data, in which order, and why."""

import pytest

from conftest import TOPICS, answer
from likewise.data.dataset import Dataset
from likewise.methods.advice import advise, text_facts
from methods.small_data import DATA
from training.small_runs import make_data, nli, pairs


def sentences(n: int = 40) -> Dataset:
    return make_data("texts", text=[f"{answer(*TOPICS[i % 64])} {i}" for i in range(n)])


def passages(n: int = 20) -> Dataset:
    return make_data("texts", text=[f"{i} " + "people paint " * 30 for i in range(n)])


def methods(data, *others, **given) -> list[str]:
    return [choice.method for choice in advise(data, others, **given).choices]


def test_texts_are_counted_with_their_words_and_repeats():
    data = make_data("texts", text=["a b c d", "A b, c d!", "one two three four five", "x"])
    found = text_facts(data)
    assert (found.texts, found.words, found.repeats) == (4, 4.0, 1)
    assert str(found) == (
        "4 texts as long as sentences (median 4 words), 1 of them repeat another: few to learn from"
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [(1, "phrases"), (3, "phrases"), (4, "sentences"), (39, "sentences"), (40, "passages")],
)
def test_texts_are_called_by_the_length_of_the_one_in_the_middle(words: int, expected: str):
    data = make_data("texts", text=[" ".join(["word"] * words)] * 3)
    assert text_facts(data).length == expected


def test_the_best_comes_first_and_auto_takes_the_first_that_needs_nothing():
    assert methods(sentences())[0] == "tsdae"
    assert methods(passages())[0] == "gpl"
    assert advise(sentences()).first.method == "tsdae"
    assert advise(passages()).first.method == "tsdae"
    gpl = next(choice for choice in advise(passages()).choices if choice.method == "gpl")
    assert "a cross-encoder, by --set teacher" in gpl.needs


def test_a_cross_encoder_that_is_there_makes_a_method_ready():
    found = advise(passages(), cross_encoders=["runs/a cross/model"])
    assert found.first.method == "gpl"
    assert found.first.options == "--set teacher='runs/a cross/model'"


def test_labelled_data_that_is_there_is_named_as_a_stage():
    (mlm,) = [c for c in advise(sentences(), [nli(6)]).choices if c.method == "mlm"]
    assert "memory.jsonl" in mlm.needs
    assert "[[stages]]" in mlm.needs
    (mlm,) = [c for c in advise(sentences(), [sentences(4)]).choices if c.method == "mlm"]
    assert "memory.jsonl" not in mlm.needs


def test_a_corpus_to_be_searched_is_plain_texts(retrieval):
    found = advise(retrieval)
    assert found.facts.startswith("64 texts as long as sentences")
    assert found.first is not None


def test_data_with_labels_has_its_one_best_method():
    for kind, make in DATA.items():
        if kind != "texts":
            found = advise(make(6))
            assert len(found.choices) == 1
            assert found.facts == ""
    assert methods(pairs(4)) == ["mnr"]
    assert advise(make_data("sounds", text=["a"])).first is None
