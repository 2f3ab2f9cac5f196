import pytest

from likewise.progress import progress


def test_nothing_is_drawn_where_it_is_not_wanted(capsys: pytest.CaptureFixture[str]):
    with progress("encoding", 10, shown=False) as advance:
        advance(10)
    assert capsys.readouterr() == ("", "")


def test_away_from_a_terminal_it_is_plain_lines_on_the_standard_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("likewise.progress.SECONDS_BETWEEN_LINES", 0.0)
    with progress("encoding", 2000) as advance:
        advance(500)
        advance(1500)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["encoding: 500 of 2,000", "encoding: 2,000 of 2,000"]


def test_quick_work_says_nothing_away_from_a_terminal(capsys: pytest.CaptureFixture[str]):
    with progress("encoding", 2) as advance:
        advance(2)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_a_bar_on_the_standard_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress("encoding", 2) as advance:
        advance(2)
    out, err = capsys.readouterr()
    assert out == ""
    assert "encoding" in err
