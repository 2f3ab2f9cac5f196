import numpy as np
import pytest

from likewise.data import read
from likewise.data.kinds.distilled import disagreement
from likewise.errors import InputError

ROWS = [
    {"anchor": "a", "positive": "p", "negative": ["x", "y"], "scores": [3, 1.5, 0]},
    {"anchor": "b", "positive": "q", "negative": ["z", "x"], "scores": [2, 2.5, -1]},
]


def test_scores_stand_beside_the_texts_they_are_about(write):
    data = read(write("d.jsonl", ROWS))
    assert data.kind == "distilled"
    assert data.roles == ("anchor", "positive", "negative", "scores")
    assert data.text_roles() == ("anchor", "positive", "negative")
    assert data.text_lists("negative") == [["x", "y"], ["z", "x"]]
    np.testing.assert_array_equal(data.score_lists(), [[3, 1.5, 0], [2, 2.5, -1]])
    np.testing.assert_array_equal(data.take([1]).score_lists(), [[2, 2.5, -1]])


def test_a_csv_holds_them_as_a_json_list(write):
    head = "query,answer,negative_1,negative_2,teacher_scores\n"
    data = read(write("d.csv", head + 'a,p,x,y,"[3, 1.5, 0]"\nb,q,z,x,"[2, 2.5, -1]"\n'))
    expected = read(write("d.jsonl", ROWS))
    assert data.table == expected.table


def test_pairs_without_scores_stay_pairs(write):
    rows = [{k: v for k, v in row.items() if k != "scores"} for row in ROWS]
    assert read(write("p.jsonl", rows)).kind == "pairs"
    chosen = read(write("d.jsonl", ROWS), kind="pairs")
    assert chosen.roles == ("anchor", "positive", "negative")


def test_scores_without_negatives_are_not_taken_in_silence(write):
    rows = [{k: v for k, v in row.items() if k != "negative"} for row in ROWS]
    with pytest.raises(InputError, match='"scores" may say'):
        read(write("p.jsonl", rows))


def test_one_number_is_no_list_of_scores(write):
    path = write("d.csv", "anchor,positive,negative,score\na,p,x,2.5\n")
    with pytest.raises(InputError, match='"score" may say') as raised:
        read(path)
    assert "--columns scores=score" in raised.value.mend
    with pytest.raises(InputError, match='row 2, column "score": expected a list of two numbers'):
        read(path, columns={"scores": "score"})


@pytest.mark.parametrize(
    ("change", "column", "problem"),
    [
        ({"scores": [1, 2]}, "scores", "expected 3 scores, of the positive and 2 negatives"),
        ({"negative": ["x"]}, "negative", "expected 2 negatives, as in the first row, found 1"),
        ({"scores": [1, "high", 2]}, "scores", "expected a number"),
        ({"scores": [1, None, 2]}, "scores", "expected a number, found nothing"),
        ({"positive": ["p", "q"]}, "positive", "expected a text, found a list of 2"),
        ({"negative": []}, "negative", "the list of texts is empty"),
    ],
)
def test_a_row_that_does_not_fit_together_is_named(write, change, column, problem):
    path = write("d.jsonl", [*ROWS, {**ROWS[0], **change}])
    with pytest.raises(InputError, match=f'row 3, column "{column}": {problem}'):
        read(path)
    kept = read(path, skip_bad=True)
    assert list(kept.row) == [1, 2]


def test_the_first_good_row_is_the_measure(write):
    bad = {**ROWS[0], "negative": ["x"]}
    assert list(read(write("d.jsonl", [bad, *ROWS]), skip_bad=True).row) == [2, 3]


def test_files_read_together_have_as_many_negatives(write):
    other = {"anchor": "c", "positive": "r", "negative": ["x"], "scores": [1, 0]}
    one, two = write("one.jsonl", ROWS), write("two.jsonl", [other])
    with pytest.raises(InputError, match=r"two\.jsonl, row 1.*expected 2 negatives"):
        read([one, two])
    assert len(read([one, one])) == 4


def test_a_row_agrees_with_itself():
    row = {"positive": "p", "negative": "n", "scores": [1.0, 0.0]}
    assert disagreement(row, row) is None
