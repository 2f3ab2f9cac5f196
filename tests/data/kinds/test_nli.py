import pytest

from likewise.data import read
from likewise.errors import InputError

HEAD = "premise,hypothesis,label\n"


def test_numbers_and_words_mean_the_same(write):
    rows = "a,b,0\na,c,entailment\na,d,Neutral\na,e,2\n"
    data = read(write("n.csv", HEAD + rows))
    assert data.labels() == [0, 0, 1, 2]
    assert any("0 entailment, 1 neutral, 2 contradiction" in n.text for n in data.notes)


def test_rows_without_a_label_are_dropped_and_counted(write):
    data = read(write("n.csv", HEAD + "a,b,0\na,c,-1\na,d,-\na,e,\n"))
    assert len(data) == 1
    assert any("dropped" in note.text and note.count == 3 for note in data.notes)


def test_labels_in_another_language_are_named_all(write):
    path = write("n.csv", HEAD + "a,b,Widerspruch\na,c,neutral\na,d,Folgerung\n")
    with pytest.raises(InputError) as raised:
        read(path)
    message = str(raised.value)
    assert message.startswith("2 problems")
    assert 'row 2, column "label"' in message
    assert 'found "Folgerung"' in message
    assert "in English" in raised.value.mend


def test_only_rows_without_a_label_are_an_error(write):
    with pytest.raises(InputError, match="no rows"):
        read(write("n.csv", HEAD + "a,b,-\n"))
