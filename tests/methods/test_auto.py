import pytest

from likewise.errors import InputError
from likewise.methods import METHODS
from likewise.methods.auto import choose_method
from methods.small_data import DATA
from training.small_runs import make_data, nli, scored


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("pairs", "mnr"),
        ("scored", "cosine"),
        ("nli", "mnr"),
        ("pair-labels", "online-contrastive"),
        ("labelled", "mnr"),
        ("distilled", "distillation"),
    ],
)
def test_auto_takes_the_method_that_suits_the_data_best(kind: str, expected: str):
    assert choose_method("auto", DATA[kind](6), METHODS) == expected


def test_plain_texts_need_a_word_on_what_to_learn_from_them():
    with pytest.raises(InputError, match="texts data") as caught:
        choose_method("auto", DATA["texts"](6), METHODS)
    fitting = [name for name, spec in METHODS.items() if "texts" in spec.kinds]
    assert all(name in caught.value.mend for name in ("--method", *fitting))


def test_a_named_method_wins_over_the_best_one():
    assert choose_method("softmax", nli(6), METHODS) == "softmax"


def test_data_that_nothing_trains_on_is_refused_with_kinds_that_fit():
    data = make_data("sounds", text=["apple", "river"])
    with pytest.raises(InputError, match="no method trains on sounds data") as caught:
        choose_method("auto", data, METHODS)
    assert all(kind in caught.value.mend for kind in ("pairs", "scored", "nli"))


def test_a_misspelt_method_is_offered_the_nearest():
    with pytest.raises(InputError, match='no method "cosin"') as caught:
        choose_method("cosin", scored(4), METHODS)
    assert "cosine" in caught.value.mend
