import os
import subprocess
import sys
from pathlib import Path

import pytest

from likewise import __version__
from likewise.cli.main import COMMANDS, build, load_command, main

# A command for each way to end, as somebody else's module would have them.
ENDINGS = '''
"""Commands that end in every way a command can end."""

import sys
from pathlib import Path

from likewise.errors import InputError, Interrupted


def well() -> None:
    """End well."""
    sys.stdout.write("done")


def wrong_input(json: bool = False) -> None:
    """Find a mistake in the input."""
    raise InputError("a score is missing", mend="write one")


def stopped() -> None:
    """Be stopped, with a checkpoint."""
    raise Interrupted("runs/a/step-5", step=5)


def control_c() -> None:
    """Be stopped, with nothing to save."""
    raise KeyboardInterrupt


def no_file() -> None:
    """Meet an error of the system."""
    Path("nowhere/at/all").read_text()


def fault() -> None:
    """Fail as no command should."""
    raise ZeroDivisionError("of all things")
'''


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """Run a command line in this process: exit code, stdout, stderr."""
    tmp_path.joinpath("endings.py").write_text(ENDINGS)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("well", "wrong_input", "stopped", "control_c", "no_file", "fault"):
        monkeypatch.setitem(COMMANDS, name.replace("_", "-"), ("endings", name, "An ending."))

    def ran(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        code = caught.value.code
        assert isinstance(code, int)
        return code, *capfd.readouterr()

    yield ran
    sys.modules.pop("endings", None)


def test_help_lists_every_command_with_its_line(run):
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    for name, (_, _, text) in COMMANDS.items():
        assert f"  {name} " in out
        assert text in out


def test_the_version_is_shown(run):
    assert run("--version") == (0, f"likewise {__version__}\n", "")


def test_a_command_that_ends_well_leaves_with_zero(run):
    assert run("well") == (0, "done", "")


def test_no_command_at_all_is_answered_with_the_help(run):
    code, out, err = run()
    assert code == 2
    assert "Commands:" in out + err


@pytest.mark.parametrize("arguments", [("--nope",), ("well", "--nope"), ("well", "too", "many")])
def test_what_the_command_line_does_not_know_leaves_with_two(run, arguments: tuple[str, ...]):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert "Error" in err


def test_a_misspelt_command_is_answered_with_the_one_that_was_meant(run):
    code, out, err = run("trian")
    assert (code, out) == (2, "")
    assert 'no command "trian"; did you mean "train"?' in err


def test_a_command_like_no_other_is_answered_with_all_of_them(run):
    assert "one of: demo, check" in run("zzzzz")[2]


@pytest.mark.parametrize("json", [(), ("--json",)])
def test_wrong_input_leaves_with_two_and_says_how_to_mend_it(run, json: tuple[str, ...]):
    code, out, err = run("wrong-input", *json)
    assert (code, out) == (2, "")
    assert err == "Error: a score is missing\nTo mend: write one\n"


def test_being_stopped_leaves_with_130_and_names_the_checkpoint(run):
    code, _, err = run("stopped")
    assert code == 130
    assert "runs/a/step-5" in err


def test_control_c_leaves_with_130_and_no_traceback(run):
    code, out, err = run("control-c")
    assert (code, out) == (130, "")
    assert "Traceback" not in err


def test_an_error_of_the_system_is_one_line(run):
    code, out, err = run("no-file")
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert "nowhere/at/all" in err


def test_a_fault_of_ours_shows_no_traceback_and_says_how_to_get_it(run):
    code, out, err = run("fault")
    assert (code, out) == (1, "")
    assert "ZeroDivisionError: of all things" in err
    assert "--debug" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("--debug", "fault"), 1), (("fault", "--debug"), 1), (("wrong-input", "--debug"), 2)],
)
def test_debug_shows_the_traceback_wherever_it_stands(run, arguments: tuple[str, ...], code: int):
    left, _, err = run(*arguments)
    assert left == code
    assert "Traceback" in err
    assert "endings.py" in err


def test_after_two_dashes_debug_is_a_word_like_any_other(run):
    code, _, err = run("well", "--", "--debug")
    assert code == 2
    assert "--debug" in err


def test_a_reader_who_has_gone_is_no_error_of_anybody():
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "likewise", "--help"],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert done.stderr == ""


def test_every_command_of_the_table_can_be_loaded_and_named():
    for name in COMMANDS:
        assert load_command(name).name == name


def test_what_is_built_is_the_whole_command_line():
    assert build().list_commands(None) == list(COMMANDS)
