"""A recipe: everything that a run was asked to do, as one value and as one TOML file."""

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import TypeAdapter, ValidationError

from likewise.errors import InputError, Where
from likewise.methods.table import METHODS
from likewise.registry import check_options
from likewise.training.options import TrainingOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A run, resolved.

    Attributes:
        data: files to train on.
        base: the model to start from.
        method: a name in `METHODS`, or "auto".
        dev: data to measure on; None holds out a part of the training data.
        training: how long, how fast, how carefully.
        options: of the method.
    """

    data: tuple[str, ...] = ()
    base: str = "minilm"
    method: str = "auto"
    dev: str | None = None
    training: TrainingOptions = field(default_factory=TrainingOptions)
    options: Mapping[str, Any] = field(default_factory=dict)

    def to_toml(self) -> str:
        """As `recipe.toml` in a run's folder has it."""
        plain = {key: value for key, value in asdict(self).items() if value is not None}
        for table in ("training", "options"):
            plain[table] = {key: v for key, v in plain[table].items() if v is not None}
        return tomli_w.dumps(plain)


def build_recipe(given: Mapping[str, Any], *, where: str = "the command line") -> Recipe:
    """Check a recipe written as nested tables, and fill in the defaults.

    Args:
        given: as `tomllib` reads it: top-level keys, `[training]`, `[options]`.
        where: its file, for errors.

    Raises:
        InputError: an unknown key (the nearest right ones are offered), a wrong type, or a value
            out of range; names file, table and key.
    """
    place = Where(path=where)
    refuse_unknown(given, [f.name for f in fields(Recipe)], "the recipe", place)
    _refuse_no_tables(given, place)
    training = given.get("training", {})
    refuse_unknown(training, [f.name for f in fields(TrainingOptions)], "[training]", place)
    try:
        options = TypeAdapter(TrainingOptions).validate_python(dict(training))
        rest = {key: value for key, value in given.items() if key not in {"training", "data"}}
        data = given.get("data", ())
        files = (data,) if isinstance(data, str) else data
        adapter = TypeAdapter(Recipe)
        return adapter.validate_python({**rest, "data": files, "training": options})
    except ValidationError as error:
        raise wrong_value(error, place) from error


def wrong_value(error: ValidationError, where: Where, *, inside: str = "") -> InputError:
    """The error for a value of a recipe that is of another type, or out of range.

    Args:
        error: as pydantic raised it.
        where: the recipe.
        inside: the table, for a key that stands in several.
    """
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    problem = f"{inside}{name}: {first['msg'].lower()}, found {first['input']!r}"
    return InputError(problem, where=where, mend=f"change {name}")


def read_recipe(path: Path) -> dict[str, Any]:
    """The tables of a recipe file; their keys are still unchecked.

    Raises:
        InputError: no such file, not UTF-8, or not TOML (names the line); or a table is none.
    """
    where = Where(path=str(path))
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
        raise InputError(problem, where=where, mend="name a recipe file with --recipe") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"not TOML: {error}", where=where, mend="mend that line") from error
    _refuse_no_tables(tables, where)
    return tables


def refuse_changed(path: Path, recipe: Recipe) -> None:
    """Go on only with what was begun: the same data, method and options.

    Args:
        path: `recipe.toml` of the run to go on with; where it is not there, nothing was begun.
        recipe: what is asked for now.

    Raises:
        InputError: they differ; names the first key that does.
    """
    if not path.is_file():
        return
    begun, where = read_recipe(path), Where(path=str(path))
    if "stages" in begun:
        problem = "the run was begun with stages, now with one method"
        raise InputError(problem, where=where, mend="choose another --out")
    refuse_difference(begun, tomllib.loads(recipe.to_toml()), where)


def refuse_difference(
    begun: Mapping[str, Any], asked: Mapping[str, Any], where: Where, *, inside: str = ""
) -> None:
    """Go on only with the same tables of a recipe.

    Args:
        begun: as the run has them.
        asked: as they are asked for now.
        where: the run's recipe.
        inside: what they are tables of, as the start of a key.

    Raises:
        InputError: they differ; names the first key that does.
    """
    before, now = _flat(begun), _flat(asked)
    for key in dict.fromkeys((*before, *now)):
        if before.get(key) != now.get(key):
            changed = f"{inside}{key} = {before.get(key)!r}, now {now.get(key)!r}"
            mend = "give the same again with --resume, or choose another --out"
            raise InputError(f"the run was begun with {changed}", where=where, mend=mend)


def _flat(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Tables of a recipe as "table.key" to value."""
    flat: dict[str, Any] = {}
    for key, value in tables.items():
        inner = value if isinstance(value, dict) else {"": value}
        flat.update({f"{key}.{name}".removesuffix("."): one for name, one in inner.items()})
    return flat


def resolve_options(method: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Every option of a method, those given and the defaults of the others.

    Raises:
        InputError: the method has no such option, or takes other values.
    """
    function = METHODS.pick(method, what="method").function
    return check_options(function, given, table=f"method {method}")


def _refuse_no_tables(given: Mapping[str, Any], where: Where) -> None:
    for name in ("training", "options"):
        found = given.get(name, {})
        if not isinstance(found, Mapping):
            mend = f"write [{name}] on a line of its own, and its keys below it"
            raise InputError(f"{name}: expected a table, found {found!r}", where=where, mend=mend)


def refuse_unknown(given: Iterable[str], known: list[str], table: str, where: Where) -> None:
    """Refuse a key that a table of a recipe does not have; the nearest right ones are offered.

    Args:
        given: its keys.
        known: those that it may have.
        table: its name, for the error.
        where: the recipe.

    Raises:
        InputError: there is one.
    """
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=3, cutoff=0.4) or known
            problem = f'{table} has no key "{key}"'
            raise InputError(problem, where=where, mend=f"it takes: {', '.join(near)}")
