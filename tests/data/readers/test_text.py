from likewise.data.readers.text import read_text


def test_every_line_is_a_text_kept_as_it_is(write):
    path = write("a.txt", "  one, two \n\nthree\n")
    assert [(p.row, r["text"]) for p, r in read_text(path)] == [(1, "  one, two "), (3, "three")]
