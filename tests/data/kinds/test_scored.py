import pytest

from likewise.data import read
from likewise.errors import InputError

HEAD = "sentence1,sentence2,score\n"


def test_scores_keep_the_unit_of_the_file_and_the_scale_is_reported(write):
    data = read(write("s.csv", HEAD + "a,b,3.8\nc,d,0\n"))
    assert data.numbers("score").tolist() == [3.8, 0.0]
    assert data.score_range == (0.0, 5.0)
    assert any("scores from 0 to 5, inferred over all 2 rows" in n.text for n in data.notes)


def test_a_stated_scale_is_kept_and_held(write):
    path = write("s.csv", HEAD + "a,b,3.8\nc,d,0\n")
    data = read(path, score_range=(0, 10))
    assert data.score_range == (0, 10)
    assert any("scores from 0 to 10, stated" in n.text for n in data.notes)
    with pytest.raises(InputError, match="expected a number from 0 to 1, found"):
        read(path, score_range=(0, 1))


@pytest.mark.parametrize("bad", ["high", "NaN", "", "inf"])
def test_a_score_that_is_no_number_is_named(bad, write):
    path = write("s.csv", HEAD + f"a,b,1\nc,d,{bad}\n")
    with pytest.raises(InputError) as raised:
        read(path)
    assert str(raised.value).startswith(f'{path}, row 3, column "score": expected a number, found')


def test_score_and_label_need_a_choice(write):
    path = write("s.csv", "sentence1,sentence2,score,label\na,b,3.8,1\n")
    with pytest.raises(InputError, match="more than one kind: scored, pair-labels") as raised:
        read(path)
    assert raised.value.mend == "choose one: --kind scored or --kind pair-labels"
    data = read(path, kind="scored")
    assert any(note.text == "columns ignored: label" for note in data.notes)
