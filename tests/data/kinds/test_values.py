import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likewise.data.kinds.values import (
    describe,
    parse_any_label,
    parse_binary_label,
    parse_nli_label,
    parse_optional_texts,
    parse_score,
    parse_text,
    parse_texts,
)


@given(st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda text: text.strip()))
def test_a_text_is_kept_as_it_is(text):
    assert parse_text(text) == text
    assert parse_texts([text, text]) == [text, text]
    assert parse_optional_texts(text) == text


@pytest.mark.parametrize("value", ["", "  \t\n", None, "\u00a0"])
def test_an_empty_text_is_refused(value):
    with pytest.raises(ValueError, match="empty"):
        parse_text(value)


def test_a_number_is_no_text():
    with pytest.raises(ValueError, match="expected a text, found the number 3"):
        parse_text(3)


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(ValueError, match="surrogate pair at character 2"):
        parse_text("a\ud800")


def test_an_empty_list_is_refused_where_a_text_is_needed():
    with pytest.raises(ValueError, match="list of texts is empty"):
        parse_texts([])
    with pytest.raises(ValueError, match="the text is empty"):
        parse_texts(["a", ""])


@pytest.mark.parametrize("value", [None, "", "  ", []])
def test_nothing_is_nothing_where_a_text_is_optional(value):
    assert parse_optional_texts(value) is None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_and_its_text_are_the_same_score(number):
    assert parse_score(number) == number
    assert parse_score(repr(number)) == number


@pytest.mark.parametrize(
    "value", ["high", "", None, "nan", "NaN", math.nan, "inf", "1_000", "3,5", True, [1.0]]
)
def test_what_is_no_finite_number_is_no_score(value):
    with pytest.raises(ValueError, match="expected a number, found"):
        parse_score(value)


def test_whole_numbers_and_decimals_are_scores():
    assert [parse_score(value) for value in (3, Decimal("2.5"), " 4 ")] == [3.0, 2.5, 4.0]


@pytest.mark.parametrize("label", [0, "0", 0.0, "0.0", "entailment", " Entailment "])
def test_an_entailment_in_any_spelling(label):
    assert parse_nli_label(label) == 0


@pytest.mark.parametrize("label", [-1, "-1", "-", "", None, -1.0])
def test_no_label_drops_the_row(label):
    assert parse_nli_label(label) is None


@pytest.mark.parametrize("label", ["Widerspruch", "3", 3, 0.5, "yes", True])
def test_another_label_is_refused_with_what_was_expected(label):
    expected = r"expected 0 \(entailment\), 1 \(neutral\), 2 \(contradiction\)"
    with pytest.raises(ValueError, match=expected):
        parse_nli_label(label)


def test_pair_labels_are_0_and_1():
    assert [parse_binary_label(v) for v in (0, "1", 1.0, True, False)] == [0, 1, 1, 1, 0]
    for value in (2, "0.6", "yes", None, -1):
        with pytest.raises(ValueError, match="expected 0"):
            parse_binary_label(value)


def test_any_label_is_kept_as_text():
    assert [parse_any_label(v) for v in ("a", 3, 3.0, 2.5, True)] == ["a", "3", "3", "2.5", "True"]
    for value in ("", None, [], {}, math.nan):
        with pytest.raises(ValueError, match="expected a label"):
            parse_any_label(value)


def test_what_was_found_fits_a_line():
    assert len(describe("x" * 1000)) < 50
    assert describe(None) == "nothing"
    assert describe(math.nan) == "NaN"
    assert describe([1, 2]) == "a list of 2"
