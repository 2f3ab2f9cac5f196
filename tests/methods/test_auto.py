import pytest

from likewise.errors import InputError
from likewise.methods import METHODS
from likewise.methods.auto import choose_method
from training.small_runs import make_data, nli, pairs, scored


@pytest.mark.parametrize(
    ("data", "expected"), [(pairs(4), "mnr"), (scored(4), "cosine"), (nli(6), "mnr")]
)
def test_auto_takes_the_method_that_suits_the_data_best(data, expected: str):
    assert choose_method("auto", data, METHODS) == expected


def test_a_named_method_wins_over_the_best_one():
    assert choose_method("softmax", nli(6), METHODS) == "softmax"


def test_data_that_nothing_trains_on_is_refused_with_kinds_that_fit():
    data = make_data("labelled", text=["apple", "river"])
    with pytest.raises(InputError, match="no method trains on labelled data") as caught:
        choose_method("auto", data, METHODS)
    assert all(kind in caught.value.mend for kind in ("pairs", "scored", "nli"))


def test_a_misspelt_method_is_offered_the_nearest():
    with pytest.raises(InputError, match='no method "cosin"') as caught:
        choose_method("cosin", scored(4), METHODS)
    assert "cosine" in caught.value.mend
