from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likewise.errors import InputError
from likewise.registry import NotNegative, Positive, Table, check_options, options


def fit(data: list[str], *, scale: float = 20.0, mode: Literal["a", "b"] = "a", width: int) -> None:
    """What options are read from."""


def test_a_table_is_read_like_a_dictionary():
    table = Table("likewise.nothing", {"a": 1, "b": 2})
    assert dict(table) == {"a": 1, "b": 2}
    assert len(table) == 2
    assert "c" not in table


def test_a_table_does_not_change_with_the_literal_it_was_made_from():
    literal = {"a": 1}
    table = Table("likewise.nothing", literal)
    literal["b"] = 2
    assert list(table) == ["a"]


def test_a_misspelt_name_is_answered_with_the_nearest():
    table = Table("likewise.nothing", {"cosine": 1, "softmax": 2})
    with pytest.raises(InputError, match='no loss "cosin"') as caught:
        table.pick("cosin", what="loss")
    assert caught.value.mend == "one of: cosine"


def test_a_name_like_no_other_is_answered_with_all_of_them():
    table = Table("likewise.nothing", {"cosine": 1, "softmax": 2})
    with pytest.raises(InputError) as caught:
        table.pick("zzzz", what="loss")
    assert caught.value.mend == "one of: cosine, softmax"


def test_only_keyword_only_arguments_are_options():
    assert set(options(fit).model_fields) == {"scale", "mode", "width"}


def test_options_keep_their_defaults_and_a_command_line_s_text_becomes_a_number():
    resolved = check_options(fit, {"width": "8"}, table="method.fit")
    assert resolved == {"scale": 20.0, "mode": "a", "width": 8}


def test_an_unknown_option_is_answered_with_the_nearest():
    with pytest.raises(InputError, match=r'\[method.fit\] has no option "scael"') as caught:
        check_options(fit, {"scael": 1, "width": 8}, table="method.fit")
    assert "scale" in caught.value.mend


@pytest.mark.parametrize(
    ("given_options", "named"),
    [({"width": "wide"}, "width"), ({"width": 8, "mode": "c"}, "mode"), ({}, "width")],
)
def test_a_wrong_or_missing_value_names_table_and_option(given_options: dict, named: str):
    with pytest.raises(InputError, match=rf"\[method.fit\] {named}: "):
        check_options(fit, given_options, table="method.fit")


@given(st.floats(allow_nan=False), st.integers())
def test_resolving_twice_changes_nothing(scale: float, width: int):
    once = check_options(fit, {"scale": scale, "width": width}, table="t")
    assert check_options(fit, once, table="t") == once


def limited(data: list[str], *, scale: Positive = 20.0, margin: NotNegative = 0.5) -> None:
    """What limits are read from."""


@pytest.mark.parametrize("value", [0, -1.0, "-0.5", float("inf"), float("nan")])
def test_a_value_out_of_range_is_refused(value):
    with pytest.raises(InputError, match=r"\[loss.limited\] scale: .*found"):
        check_options(limited, {"scale": value}, table="loss.limited")


def test_a_limit_may_include_zero():
    assert check_options(limited, {"margin": 0}, table="t") == {"scale": 20.0, "margin": 0.0}
    with pytest.raises(InputError, match="margin: input should be greater than or equal to 0"):
        check_options(limited, {"margin": -0.1}, table="t")
