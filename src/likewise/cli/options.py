"""Command-line options read from dataclasses, so that no option is written twice."""

import functools
import inspect
import re
import types
from collections.abc import Callable
from dataclasses import Field, fields
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import typer

from likewise.errors import InputError


def with_fields(owner: type[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command one option for each field of a dataclass.

    The command takes them in `**settings`: only those that the user named are there.

    Args:
        owner: a dataclass whose docstring explains each field under "Attributes:".
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = [
            parameter
            for parameter in inspect.signature(command).parameters.values()
            if parameter.kind is not parameter.VAR_KEYWORD
        ]
        names = [field.name for field in fields(owner)]
        hints = get_type_hints(owner)
        helps = _attribute_docs(owner)
        added = [_parameter(field, hints[field.name], helps[field.name]) for field in fields(owner)]

        @functools.wraps(command)
        def wrapped(**given: Any) -> None:
            settings = {name: given.pop(name) for name in names}
            command(**given, **{k: v for k, v in settings.items() if v is not None})

        wrapped.__signature__ = inspect.Signature([*own, *added])  # type: ignore[attr-defined]  # what typer reads
        hinted = get_type_hints(command, include_extras=True)
        hinted.pop("settings", None)
        wrapped.__annotations__ = {**hinted, **{p.name: p.annotation for p in added}}
        return wrapped

    return decorate


def with_options_of(
    other: Callable[..., None],
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command, which takes `**given`, all options of another one.

    Args:
        other: the command that declares them.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def wrapped(**given: Any) -> None:
            command(**given)

        wrapped.__signature__ = inspect.signature(other)  # type: ignore[attr-defined]  # what typer reads
        wrapped.__annotations__ = dict(other.__annotations__)
        return wrapped

    return decorate


def parse_settings(given: list[str]) -> dict[str, str]:
    """Read repeated `--set name=value`.

    Raises:
        InputError: one has no "=".
    """
    found: dict[str, str] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name.strip():
            raise InputError(f'expected NAME=VALUE, found "{one}"', mend="write --set scale=30")
        found[name.strip().replace("-", "_")] = value.strip()
    return found


def _parameter(field: "Field[Any]", hint: Any, text: str) -> inspect.Parameter:
    plain = _without_none(hint)
    choices = get_args(plain) if get_origin(plain) is Literal else ()
    default = "" if field.default in {None, ()} else f"  [default: {field.default}]"
    one_of = f" One of: {', '.join(choices)}." if choices else ""
    option = typer.Option(f"--{field.name.replace('_', '-')}", help=f"{text}{one_of}{default}")
    kind = str if choices or get_origin(plain) is tuple else plain  # a list is read from its text
    return inspect.Parameter(
        field.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind | None, option],
    )


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in {Union, types.UnionType}:
        return next(part for part in get_args(hint) if part is not type(None))
    return hint


def _attribute_docs(owner: type[Any]) -> dict[str, str]:
    """Each field's sentence in the "Attributes:" part of a docstring."""
    text = inspect.cleandoc(owner.__doc__ or "").partition("Attributes:")[2]
    found = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", text, flags=re.MULTILINE)
    sentences = {name: re.sub(r"\s+", " ", words).strip() for name, words in found}
    return {name: words[:1].upper() + words[1:] for name, words in sentences.items()}


def parse_range(text: str | None) -> tuple[float, float] | None:
    """Read `--score-range 0:5`."""
    if text is None:
        return None
    from likewise.data.scales import parse_range as parse

    return parse(text)


def as_paths(names: list[str]) -> str | list[str | Path]:
    """One source as itself, several as a list."""
    return names[0] if len(names) == 1 else [*names]
