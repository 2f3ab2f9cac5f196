import pytest

from likewise.data import read
from likewise.errors import InputError


def test_several_positives_are_a_list(write):
    rows = [{"anchor": "a", "positive": ["b", "c"]}, {"anchor": "d", "positive": "e"}]
    data = read(write("p.jsonl", rows))
    assert data.text_lists("positive") == [["b", "c"], ["e"]]
    assert data.texts("anchor") == ["a", "d"]


def test_numbered_negatives_come_together_and_may_be_missing(write):
    path = write("p.csv", "query,answer,negative_1,negative_2\na,b,x,y\nc,d,,z\ne,f,,\n")
    data = read(path)
    assert data.roles == ("anchor", "positive", "negative")
    assert data.text_lists("negative") == [["x", "y"], ["z"], []]
    assert data.columns["negative"] == "negative_1, negative_2"


def test_one_negative_a_row_stays_one_text(write):
    data = read(write("p.csv", "anchor,positive,negative\na,b,x\nc,d,\n"))
    assert data.texts("negative") == ["x", None]
    assert data.text_lists("negative") == [["x"], []]


def test_a_list_of_negatives_is_taken(write):
    rows = [{"anchor": "a", "positive": "b", "negatives": ["x", "y"]}]
    assert read(write("p.jsonl", rows)).text_lists("negative") == [["x", "y"]]


def test_an_empty_text_in_a_list_names_its_row(write):
    rows = [{"anchor": "a", "positive": "b"}, {"anchor": "c", "positive": ["d", " "]}]
    with pytest.raises(InputError, match='row 2, column "positive": the text is empty'):
        read(write("p.jsonl", rows))


def test_judged_pairs_never_become_pairs_in_silence(write):
    path = write("p.csv", "query,document,score\nq,right,1\nq,wrong,0\n")
    with pytest.raises(InputError, match="every row would be a positive") as raised:
        read(path)
    assert "--kind pair-labels --columns sentence1=query,sentence2=document" in raised.value.mend
    columns = {"sentence1": "query", "sentence2": "document", "label": "score"}
    assert read(path, kind="pair-labels", columns=columns).labels() == [1, 0]
    chosen = read(path, kind="pairs")
    assert len(chosen) == 2
    assert any("whatever its score says" in note.text for note in chosen.notes)
