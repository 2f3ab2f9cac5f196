import shlex

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from likewise.data.kinds import KINDS
from likewise.data.roles import bind, late_column, parse_columns
from likewise.errors import InputError, Where

WHERE = Where(path="f.csv")


def bound(header, **options):
    return bind(header, kinds=KINDS, where=WHERE, **options)


def error_of(header, **options):
    with pytest.raises(InputError) as raised:
        bound(header, **options)
    assert str(raised.value).startswith("f.csv: ") or "--columns" in str(raised.value)
    return raised.value


def test_columns_bind_by_name_and_never_by_position():
    one, other = bound(["query", "answer"]), bound(["answer", "query"])
    assert one.columns == other.columns == {"anchor": ("query",), "positive": ("answer",)}


def test_other_columns_are_ignored_and_named():
    assert bound(["id", "query", "answer", "date"]).ignored == ("id", "date")


def test_unknown_columns_get_the_line_that_binds_them():
    error = error_of(["title", "body"])
    assert "columns title, body: for the kind pairs, no column is named anchor, positive" in str(
        error
    )
    assert "--columns anchor=title,positive=body" in error.mend


def test_the_nearest_kind_is_offered():
    assert "--columns score=rating" in error_of(["sentence1", "sentence2", "rating"]).mend
    assert "--columns hypothesis=claim" in error_of(["premise", "claim", "label"]).mend
    assert "--columns text=body" in error_of(["body"]).mend


@given(st.lists(st.text(st.characters(categories=["L"]), min_size=1), min_size=2, max_size=5))
def test_the_offered_line_works(header):
    header = list(dict.fromkeys(name.strip() for name in header))
    judging = {name for kind in KINDS.values() for name in kind.contradicted_by}
    assume(not judging & {name.casefold() for name in header})  # these ask for --kind, not a column
    try:
        bound(header)
    except InputError as error:
        line = error.mend.split(";")[0]
        assert line.startswith("--columns")
        given_columns = [part for part in shlex.split(line) if part != "--columns"]
        if "COLUMN" not in line:
            columns = parse_columns(given_columns)
            assert set(bound(header, columns=columns).columns) >= set(columns)


def test_names_with_spaces_and_commas_are_quoted_so_that_the_line_works():
    header = ["the title, short", "the body"]
    line = error_of(header).mend.split(";")[0]
    assert line == "--columns 'anchor=the title, short' --columns 'positive=the body'"
    columns = parse_columns([part for part in shlex.split(line) if part != "--columns"])
    assert bound(header, columns=columns).columns["anchor"] == ("the title, short",)


def test_two_columns_for_one_role_are_ambiguous():
    error = error_of(["question", "answer", "passage"])
    assert 'more than one could be "positive": answer, passage' in error.problem
    assert bound(["question", "answer", "passage"], columns={"positive": "passage"}).ignored == (
        "answer",
    )


def test_two_kinds_are_ambiguous_until_one_is_chosen():
    header = ["sentence1", "sentence2", "score", "label"]
    assert error_of(header).mend == "choose one: --kind scored or --kind pair-labels"
    assert bound(header, kind="scored").kind.name == "scored"
    error = error_of(["query", "answer", "text"])
    assert "pairs, texts" in error.problem


def test_a_kind_that_uses_more_of_the_columns_wins():
    assert bound(["text", "label"]).kind.name == "labelled"


@pytest.mark.parametrize("name", ["labels", "Score", "gold_label", "rating"])
def test_a_judgement_beside_a_pair_asks_first(name):
    error = error_of(["query", "document", name])
    assert "every row would be a positive" in error.problem
    assert f"label={name}" in error.mend
    assert bound(["query", "document", name], kind="pairs").contradicting == (name,)


def test_columns_by_hand_choose_the_kind_too():
    columns = {"sentence1": "a", "sentence2": "b", "score": "label"}
    assert bound(["a", "b", "label"], columns=columns).kind.name == "scored"


def test_a_role_that_does_not_exist_is_answered_with_the_right_one():
    error = error_of(["a", "b"], columns={"anchr": "a"})
    assert 'no role "anchr"' in error.problem
    assert "anchor" in error.mend


def test_a_column_that_does_not_exist_is_answered_with_the_right_one():
    error = error_of(["title", "body"], columns={"anchor": "titel"})
    assert error.mend == "did you mean title?"


def test_one_column_cannot_play_two_roles():
    error = error_of(["title"], columns={"anchor": "title", "positive": "title"})
    assert "twice" in error.problem


def test_roles_of_two_kinds_cannot_be_mixed():
    error = error_of(["a", "b"], columns={"anchor": "a", "score": "b"})
    assert "no kind of data has all the roles anchor, score" in error.problem


def test_numbered_negatives_bind_by_hand():
    binding = bound(
        ["q", "a", "x", "y"],
        columns={"anchor": "q", "positive": "a", "negative_1": "x", "negative_2": "y"},
    )
    assert binding.columns["negative"] == ("x", "y")


def test_an_unknown_kind_is_answered_with_the_right_one():
    with pytest.raises(InputError, match='no kind of data "pair"') as raised:
        bound(["a"], kind="pair")
    assert "pairs" in raised.value.mend


def test_a_field_that_shows_up_late_is_an_error_only_if_it_matters():
    binding = bound(["query", "answer"])
    assert late_column(binding, "date") is None
    for name in ("negative", "question", "label"):
        assert late_column(binding, name) is not None


def test_columns_are_given_as_a_list_or_one_by_one():
    assert parse_columns(["a=x,b=y"]) == parse_columns(["a=x", "b=y"]) == {"a": "x", "b": "y"}
    assert parse_columns(["a=x, y"]) == {"a": "x, y"}
    for wrong in ("title", "=x", ""):
        with pytest.raises(InputError, match="ROLE=COLUMN"):
            parse_columns([wrong])
