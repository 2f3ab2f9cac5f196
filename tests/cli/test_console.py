import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from likewise.cli.console import answer, emit_json, program, say, show_table

ODD = "[bold]not markup[/bold] 1,234 café 東京 " + "long " * 60


def test_what_is_said_goes_to_stderr_as_it_is(capsys: pytest.CaptureFixture[str]):
    say(ODD)
    assert capsys.readouterr() == ("", ODD + "\n")


def test_nothing_is_said_where_quiet(capsys: pytest.CaptureFixture[str]):
    say(ODD, quiet=True)
    assert capsys.readouterr() == ("", "")


def test_an_answer_goes_to_stdout_as_it_is(capsys: pytest.CaptureFixture[str]):
    answer(ODD)
    assert capsys.readouterr() == (ODD + "\n", "")


def test_json_reads_back_and_keeps_letters(capsys: pytest.CaptureFixture[str]):
    value = {"text": ODD, "value": 0.1, "none": None}
    emit_json(value)
    out, err = capsys.readouterr()
    assert (json.loads(out), err) == (value, "")
    assert "東京" in out


def test_a_table_shows_its_cells_as_they_are(capsys: pytest.CaptureFixture[str]):
    show_table("of [b]two[/b]", ["model", "ndcg@10"], [["[b]", "0.5"], ["longer name", "0.25"]])
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines()[0].strip() == "of [b]two[/b]"
    rows = [line for line in out.splitlines() if "0." in line]
    assert ["[b]" in rows[0], "longer name" in rows[1]] == [True, True]
    assert rows[0].index("0.5") + 3 == rows[1].index("0.25") + 4  # numbers end in one line


def test_words_stand_to_the_left_and_numbers_to_the_right(capsys: pytest.CaptureFixture[str]):
    show_table("t", ["a name", "a use", "a value"], [["x", "y", "1"]], n_left=2)
    row = next(line for line in capsys.readouterr().out.splitlines() if "x" in line)
    assert row.split("│")[1:-1] == [" x      ", " y     ", "       1 "]


def test_a_table_is_not_squeezed_where_it_is_piped():
    name = "/a/folder/with/a/long/name/" * 3
    table = f"show_table('title', ['model', 'x'], [['{name}', '1']])"
    code = f"from likewise.cli.console import show_table; {table}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert name in done.stdout


def test_the_program_is_called_as_the_user_can_call_it(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "venv" / "likewise")])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program() == str(tmp_path / "venv" / "likewise")
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "likewise" / "__main__.py")])
    assert program() == f"{sys.executable} -m likewise"
    (tmp_path / "likewise").write_text("")
    (tmp_path / "likewise").chmod(0o755)
    assert shutil.which("likewise")
    assert program() == "likewise"
