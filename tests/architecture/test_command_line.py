"""The command line is a promise: it changes knowingly, with `command_line.txt` beside this file."""

from pathlib import Path
from typing import Any

from likewise.cli.main import COMMANDS, build, load_command

FROZEN = Path(__file__).with_name("command_line.txt")


def described(name: str, parameters: list[Any]) -> list[str]:
    """A command with its arguments, and under it its options, spelt in every way."""
    arguments = [p.name.upper() for p in parameters if p.param_type_name == "argument"]
    options = [p for p in parameters if p.param_type_name == "option" and p.name != "help"]
    spelt = sorted(", ".join([*p.opts, *p.secondary_opts]) for p in options)
    return [" ".join([name, *arguments]), *(f"    {option}" for option in spelt)]


def listing() -> str:
    lines = described("likewise", build().params)
    for name in sorted(COMMANDS):
        lines += described(name, load_command(name).params)
    return "\n".join(lines) + "\n"


def test_commands_and_options_are_those_written_down():
    now = listing()
    assert now == FROZEN.read_text(), f"if this is meant, {FROZEN.name} becomes:\n{now}"


def test_every_command_takes_quiet_and_json():
    for name in COMMANDS:
        options = {option for p in load_command(name).params for option in p.opts}
        assert {"--quiet", "--json"} <= options, name


def test_every_command_explains_itself_with_an_example():
    for name in COMMANDS:
        command = load_command(name)
        assert f"likewise {name} " in command.help, f"{name}: an example in its docstring"
        assert "Args:" not in command.help
        undocumented = [p.name for p in command.params if not getattr(p, "help", None)]
        assert undocumented == [], name
