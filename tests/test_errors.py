import pytest

from likewise.errors import (
    SHOWN,
    InputError,
    Interrupted,
    LikewiseError,
    MissingExtra,
    NotFinite,
    Where,
)


def wrong(row: int, mend: str = "write a number") -> InputError:
    where = Where(path="pairs.csv", row=row, column="score")
    return InputError('expected a number, found "high"', mend=mend, where=where)


def test_a_place_names_file_row_and_column_as_far_as_they_are_known():
    assert str(Where(path="a.csv")) == "a.csv"
    assert str(Where(path="a.csv", row=3)) == "a.csv, row 3"
    assert str(Where(path="a.csv", row=3, column="score")) == 'a.csv, row 3, column "score"'


def test_an_input_error_says_where_what_and_how_to_mend_it():
    assert str(wrong(17)) == (
        'pairs.csv, row 17, column "score": expected a number, found "high"\n'
        "To mend: write a number"
    )


def test_an_input_error_without_a_place_starts_with_the_problem():
    assert str(InputError("nothing to read", mend="name a file")).startswith("nothing to read\n")


def test_one_gathered_error_stays_itself():
    error = wrong(2)
    assert InputError.gather([error]) is error


def test_gathered_errors_are_counted_and_each_mend_is_said_once():
    gathered = InputError.gather([wrong(2), wrong(3), wrong(4, mend="quote the text")])
    assert gathered.problem.splitlines()[0] == "3 problems"
    assert gathered.mend == "write a number; quote the text"


def test_only_twenty_findings_are_shown_and_the_rest_is_counted():
    gathered = InputError.gather([wrong(row) for row in range(SHOWN + 5)], total=1000)
    lines = gathered.problem.splitlines()
    assert lines[0] == "1000 problems"
    assert len(lines) == 1 + SHOWN + 1
    assert lines[-1].strip() == f"… and {1000 - SHOWN} more"


def test_an_error_of_many_that_were_not_all_kept_says_how_many_there_were():
    assert InputError.gather([wrong(2)], total=7).problem.startswith("7 problems")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (LikewiseError("it failed"), 1),
        (InputError("wrong", mend="right it"), 2),
        (MissingExtra("datasets", extra="hub"), 2),
        (NotFinite("the loss", step=3, rows=["a.csv, row 2"], rate=1e-4), 1),
        (Interrupted("runs/a/checkpoints/step-5", step=5), 130),
    ],
)
def test_every_error_has_the_exit_code_of_the_tree(error: LikewiseError, code: int):
    assert isinstance(error, LikewiseError)
    assert error.exit_code == code


def test_a_missing_extra_says_what_to_type():
    assert 'pip install "likewise[hub]"' in str(MissingExtra("datasets", extra="hub"))


def test_a_loss_that_is_no_number_names_its_step_its_rows_and_the_rate():
    rows = [f"a.csv, row {i}" for i in range(SHOWN + 1)]
    text = str(NotFinite("the loss", step=3, rows=rows, rate=1e-4))
    assert "step 3" in text
    assert "1.00e-04" in text
    assert "a.csv, row 0" in text
    assert f"a.csv, row {SHOWN}" not in text


def test_an_interruption_names_the_checkpoint_and_the_way_on():
    text = str(Interrupted("runs/a/checkpoints/step-5", step=5))
    assert "runs/a/checkpoints/step-5" in text
    assert "--resume" in text
