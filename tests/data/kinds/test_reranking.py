import pytest

from likewise.data import read
from likewise.errors import InputError

HEAD = "query,document,label\n"


def test_a_label_beside_query_and_document_is_a_judgement(write):
    data = read(write("r.csv", HEAD + "q,a,1\nq,b,0\nq,c,2\n"))
    assert data.kind == "reranking"
    assert data.labels() == [1, 0, 2]
    assert data.text_roles() == ("query", "document")


def test_without_a_label_they_are_pairs(write):
    assert read(write("r.csv", "query,document\nq,a\n")).kind == "pairs"


@pytest.mark.parametrize("value", ["0.5", "-1", "yes", "", "nan", "inf"])
def test_a_grade_is_a_whole_number(value, write):
    path = write("r.csv", HEAD + f"q,a,1\nq,b,{value}\n")
    with pytest.raises(InputError, match="expected a whole number, 0 or more") as raised:
        read(path)
    assert (raised.value.where.row, raised.value.where.column) == (3, "label")
    assert "write 0 for a document that does not answer" in raised.value.mend
