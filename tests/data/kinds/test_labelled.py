from likewise.data import read


def test_any_label_is_kept_as_text(write):
    rows = [{"text": "a", "label": 1}, {"text": "b", "label": "two"}, {"text": "c", "label": 3.0}]
    data = read(write("l.jsonl", rows))
    assert data.kind == "labelled"
    assert data.labels() == ["1", "two", "3"]


def test_texts_with_a_label_are_labelled_and_not_plain(write):
    assert read(write("l.csv", "text,label\na,x\n")).kind == "labelled"
    assert read(write("l.csv", "text,other\na,x\n")).kind == "texts"
    chosen = read(write("l.csv", "text,label\na,x\n"), kind="texts")
    assert chosen.roles == ("text",)
