import pytest

from likewise.data.kinds import KINDS
from likewise.data.rows import PEEKED, Faults, collect_rows
from likewise.errors import SHOWN, InputError, Where


def collected(records, **options):
    rows = ((Where(path="f", row=i), record) for i, record in enumerate(records, 1))
    return collect_rows("f", rows, kinds=KINDS, **options)


GOOD = {"anchor": "a", "positive": "b"}
BAD = {"anchor": "", "positive": "b"}


def test_bad_rows_are_gathered_up_to_twenty_with_their_total():
    with pytest.raises(InputError) as raised:
        collected([GOOD, *[BAD] * 30])
    message = str(raised.value)
    assert message.startswith("30 problems")
    assert message.count('column "anchor": the text is empty') == SHOWN
    assert "… and 10 more" in message


def test_every_bad_cell_of_a_row_is_named():
    with pytest.raises(InputError) as raised:
        collected([{"anchor": "", "positive": 3}, GOOD])
    assert 'column "anchor": the text is empty' in str(raised.value)
    assert 'column "positive": expected a text, found the number 3' in str(raised.value)


def test_a_missing_field_is_no_empty_text():
    with pytest.raises(InputError, match='row 2, column "positive": the field is missing'):
        collected([GOOD, {"anchor": "a"}])


def test_an_optional_field_may_come_later_among_the_first_rows():
    file = collected([GOOD, {**GOOD, "negative": "c"}])
    assert file.table.column("negative").to_pylist() == [None, "c"]


def test_a_field_that_matters_and_comes_too_late_is_an_error():
    records = [GOOD] * PEEKED + [{**GOOD, "negative": "c"}]
    with pytest.raises(InputError, match=f'row {PEEKED + 1}: the field "negative" first appears'):
        collected(records)


def test_a_late_field_that_does_not_matter_is_ignored_and_named():
    file = collected([GOOD] * PEEKED + [{**GOOD, "date": "c"}] * 2)
    assert len(file.row) == PEEKED + 2
    assert any(note.text == "columns ignored: date" for note in file.notes)


def test_errors_of_the_reader_are_rows_too():
    error = InputError("broken", where=Where(path="f", row=2), mend="mend it")
    with pytest.raises(InputError, match="f, row 2: broken"):
        collected([GOOD, error, GOOD])
    file = collected([GOOD, error, GOOD], skip_bad=True)
    assert list(file.row) == [1, 3]


def test_nothing_left_is_an_error_even_when_skipping():
    with pytest.raises(InputError, match="the text is empty"):
        collected([BAD], skip_bad=True)
    with pytest.raises(InputError, match="no rows"):
        collected([])


def test_an_end_that_breaks_off_is_one_bad_row():
    def cut():
        yield Where(path="f", row=2), GOOD
        raise InputError("cut", where=Where(path="f", row=3), mend="copy it again")

    with pytest.raises(InputError, match="row 3: cut"):
        collect_rows("f", cut(), kinds=KINDS)
    file = collect_rows("f", cut(), kinds=KINDS, skip_bad=True)
    assert list(file.row) == [2]
    assert file.notes[0].count == 1


def test_faults_keep_the_first_and_count_all():
    faults = Faults()
    assert faults.notes() == ()
    for i in range(25):
        faults.add(InputError(f"{i}", mend=""))
    assert [error.problem for error in faults.shown] == [str(i) for i in range(20)]
    assert faults.notes()[0].count == 25
