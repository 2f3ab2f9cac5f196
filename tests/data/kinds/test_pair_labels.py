import pytest

from likewise.data import read
from likewise.errors import InputError

HEAD = "sentence1,sentence2,label\n"


def test_labels_are_0_and_1(write):
    data = read(write("p.csv", HEAD + "a,b,0\nc,d,1\n"))
    assert data.kind == "pair-labels"
    assert data.labels() == [0, 1]


def test_a_score_under_the_name_label_is_told_how_to_be_one(write):
    path = write("p.csv", HEAD + "a,b,0.6\n")
    with pytest.raises(InputError, match="expected 0") as raised:
        read(path)
    assert "--kind scored --columns score=label" in raised.value.mend
    assert read(path, kind="scored", columns={"score": "label"}).numbers("score").tolist() == [0.6]
