from likewise.data import read


def test_a_text_file_is_one_text_a_line(write):
    data = read(write("t.txt", "one\n\ntwo\n"))
    assert data.kind == "texts"
    assert data.texts("text") == ["one", "two"]
    assert list(data.row) == [1, 3]


def test_every_text_column_of_any_kind_gives_plain_texts_without_repeats(write):
    rows = [
        {"anchor": "a", "positive": ["b", "c"], "negative": "a"},
        {"anchor": "c", "positive": "d"},
    ]
    assert read(write("t.jsonl", rows)).all_texts() == ["a", "c", "b", "d"]
