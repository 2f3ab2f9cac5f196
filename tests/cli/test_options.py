import re
from dataclasses import dataclass, fields
from typing import Any, Literal

import pytest
import typer
from typer.main import get_command

from likewise.cli.main import load_command
from likewise.cli.options import (
    as_paths,
    parse_range,
    parse_settings,
    with_fields,
    with_options_of,
)
from likewise.errors import InputError
from likewise.training.options import TrainingOptions


@dataclass(frozen=True, kw_only=True)
class Walk:
    """A walk.

    Attributes:
        far_away: how far, in km; by AdamW where None is
            given on the next line.
        pace: how fast.
        steps: how many.
    """

    far_away: float | None = None
    pace: Literal["slow", "fast"] = "slow"
    steps: int = 3


@pytest.fixture
def walked():
    """A command with the fields of `Walk`, and what it was called with."""
    calls: list[dict[str, Any]] = []

    @with_fields(Walk)
    def walk(*, name: str = "me", **settings: Any) -> None:
        """Go for a walk."""
        calls.append({"name": name, **settings})

    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command()(walk)
    command = get_command(app)

    def run(*words: str) -> dict[str, Any]:
        command.main(list(words), standalone_mode=False)
        return calls[-1]

    run.command = command
    return run


def test_only_what_was_named_is_handed_on(walked):
    assert walked() == {"name": "me"}
    assert walked("--steps", "5") == {"name": "me", "steps": 5}
    assert walked("--name", "you", "--far-away", "2") == {"name": "you", "far_away": 2.0}


def test_a_value_that_is_the_default_is_handed_on_if_it_was_named(walked):
    assert walked("--pace", "slow") == {"name": "me", "pace": "slow"}


def test_help_is_the_sentence_of_the_attribute(walked):
    helps = {option.name: option.help for option in walked.command.params}
    sentence = "How far, in km; by AdamW where None is given on the next line."
    assert helps["far_away"] == sentence
    assert helps["pace"] == "How fast. One of: slow, fast.  [default: slow]"
    assert helps["steps"] == "How many.  [default: 3]"


def test_train_takes_every_training_option_with_its_help():
    options = {option.name: option for option in load_command("train").params}
    for field in fields(TrainingOptions):
        option = options[field.name]
        assert option.opts == [f"--{field.name.replace('_', '-')}"]
        first = re.escape(option.help.split()[1])  # its second word; the first is capitalised
        assert re.search(rf"{field.name}: \S+ {first}", TrainingOptions.__doc__)
        assert option.default is None


def test_settings_are_names_and_values():
    assert parse_settings([]) == {}
    given = ["scale=30", "hard-negatives=false", " symmetric = true ", "text=a=b"]
    assert parse_settings(given) == {
        "scale": "30",
        "hard_negatives": "false",
        "symmetric": "true",
        "text": "a=b",
    }


@pytest.mark.parametrize("wrong", ["scale", "=30", " =30", ""])
def test_a_setting_without_name_or_sign_is_refused(wrong: str):
    with pytest.raises(InputError, match=f'expected NAME=VALUE, found "{wrong}"'):
        parse_settings([wrong])


def test_a_range_is_two_numbers_or_none():
    assert parse_range(None) is None
    assert parse_range("0:5") == (0.0, 5.0)
    assert parse_range("-1:1") == (-1.0, 1.0)
    with pytest.raises(InputError):
        parse_range("5:0")


def test_one_source_is_itself_and_several_are_a_list():
    assert as_paths(["hub:a/b"]) == "hub:a/b"
    assert as_paths(["a.csv", "b.csv"]) == ["a.csv", "b.csv"]


def test_a_command_may_have_the_options_of_another(walked):
    @with_options_of(walked.command.callback)
    def again(**given: Any) -> None:
        """Go again."""
        calls.append(given)

    calls: list[dict[str, Any]] = []
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command()(again)
    command = get_command(app)
    command.main(["--far-away", "2"], standalone_mode=False)
    assert calls == [{"name": "me", "far_away": 2.0, "pace": None, "steps": None}]
    assert {p.name for p in command.params} == {p.name for p in walked.command.params}
    assert command.help == "Go again."
