import pytest

from likewise.errors import InputError
from likewise.methods import METHODS
from likewise.methods.auto import choose_method, why_chosen
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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("apple {}", "simcse"),
        ("people paint the apple {} here", "tsdae"),
        ("apple {} " * 50, "tsdae"),
    ],
)
def test_plain_texts_are_chosen_for_by_their_length(text: str, expected: str):
    data = make_data("texts", text=[text.replace("{}", str(i)) for i in range(20)])
    assert choose_method("auto", data, METHODS) == expected
    assert why_chosen(data).startswith(f"the method is {expected}: 20 texts as long as ")


def test_every_choice_by_itself_says_why():
    for make in DATA.values():
        data = make(6)
        assert why_chosen(data).startswith(
            f"the method is {choose_method('auto', data, METHODS)}: "
        )
    assert why_chosen(make_data("sounds", text=["apple"])) == ""


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
