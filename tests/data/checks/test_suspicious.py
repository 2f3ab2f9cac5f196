import pytest

from likewise.data.checks.suspicious import check_suspicious, refuse_equal_triplets
from likewise.errors import InputError


def test_a_text_paired_with_itself_is_found(make):
    data = make("pairs", anchor=["a", "b"], positive=["x", "B!"])
    (finding,) = check_suspicious(data)
    assert [place.row for place in finding.rows] == [3]
    assert "same text as anchor and positive" in finding.text


def test_equal_texts_are_right_where_the_score_or_label_says_so(make):
    texts = ["a", "b", "c"]
    scored = make("scored", sentence1=texts, sentence2=texts, score=[5, 4, 1])
    assert [finding.count for finding in check_suspicious(scored)] == [1]
    nli = make("nli", premise=texts, hypothesis=texts, label=[0, 0, 2])
    assert [finding.count for finding in check_suspicious(nli)] == [1]
    labels = make("pair-labels", sentence1=texts, sentence2=texts, label=[1, 1, 0])
    assert [finding.count for finding in check_suspicious(labels)] == [1]


def test_a_negative_that_is_its_own_positive_is_found(make):
    data = make(
        "pairs",
        anchor=["a", "b", "c"],
        positive=["x", "y", "z"],
        negative=[["q", "X"], None, ["y"]],
    )
    (finding,) = check_suspicious(data)
    assert finding.count == 1
    assert finding.rows[0].row == 2
    assert "their own positive" in finding.text


def test_a_negative_that_is_its_own_anchor_is_found(make):
    data = make("pairs", anchor=["a", "b"], positive=["x", "y"], negative=["A", "z"])
    (finding,) = check_suspicious(data)
    assert "their own anchor" in finding.text


def test_a_column_of_one_text_is_found(make):
    data = make("pairs", anchor=["same", "same"], positive=["x", "y"])
    (finding,) = check_suspicious(data)
    assert "anchor is the same text in all 2 rows" in finding.text


def test_letters_that_were_once_misread_are_found(make):
    good = ["café", "it’s", "Ãlvares", "naïve"]
    bad = [text.encode().decode("cp1252") for text in ("café", "it’s")]
    data = make("texts", text=[*good, *bad, "lost \ufffd"])
    (finding,) = check_suspicious(data)
    assert [place.row for place in finding.rows] == [6, 7, 8]


def test_triplets_that_are_none_are_refused_with_their_rows(make):
    data = make(
        "pairs",
        anchor=[f"a{i}" for i in range(50)],
        positive=[f"p{i}" for i in range(50)],
        negative=[f"P{i}!" if i % 2 else f"n{i}" for i in range(50)],
    )
    with pytest.raises(InputError, match="25 problems") as raised:
        refuse_equal_triplets(data)
    lines = raised.value.problem.splitlines()
    assert lines[1] == '  a.csv, row 3, column "negative": a negative is the row\'s own positive'
    assert lines[-1] == "  … and 5 more"
    assert len(lines) == 22


def test_lists_of_negatives_are_looked_through_too(make):
    data = make("pairs", anchor=["a", "b"], positive=["x", "y"], negative=[["q", "r"], ["z", "Y."]])
    with pytest.raises(InputError, match="row 3"):
        refuse_equal_triplets(data)
    refuse_equal_triplets(data.take([0]))
    refuse_equal_triplets(data.without("negative"))
