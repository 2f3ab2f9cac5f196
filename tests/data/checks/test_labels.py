import pytest

from likewise.data.checks.labels import check_labels, refuse_one_class
from likewise.errors import InputError


def test_the_histogram_is_sorted_and_in_words(make):
    data = make("nli", premise=["a"] * 4, hypothesis=["b"] * 4, label=[2, 2, 0, 1])
    (finding,) = check_labels(data)
    assert dict(finding.facts) == {"contradiction": 2, "entailment": 1, "neutral": 1}
    assert "contradiction: 2 (50%)" in finding.text


def test_a_single_label_is_a_warning(make):
    data = make("pair-labels", sentence1=["a", "b"], sentence2=["c", "d"], label=[1, 1])
    _, warning = check_labels(data)
    assert (warning.level, warning.count) == ("warning", 2)


def test_a_label_that_stands_once_is_named(make):
    data = make("labelled", text=["a", "b", "c"], label=["x", "x", "rare one"])
    _, warning = check_labels(data)
    assert "rare one" in warning.text


def test_grades_are_counted(retrieval):
    (finding,) = check_labels(retrieval)
    assert dict(finding.facts) == {"0": 1, "1": 1, "2": 1}


def test_without_labels_there_is_nothing_to_say(make):
    assert check_labels(make("texts", text=["a"])) == []


def test_one_class_is_refused_by_its_name(make):
    texts = ["a", "b"]
    for kind, columns, name in (
        ("nli", {"premise": texts, "hypothesis": texts, "label": [2, 2]}, "contradiction"),
        ("pair-labels", {"sentence1": texts, "sentence2": texts, "label": [0, 0]}, "0"),
        ("labelled", {"text": texts, "label": ["x", "x"]}, "x"),
    ):
        with pytest.raises(InputError, match=f"a.csv: all 2 rows have the label {name}"):
            refuse_one_class(make(kind, **columns))
    refuse_one_class(make("labelled", text=texts, label=["x", "y"]))
