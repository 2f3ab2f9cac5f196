"""A recipe of stages: each an ordinary run, fed by the model of an earlier one."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ConfigDict, TypeAdapter, ValidationError

from likewise.errors import InputError, Where
from likewise.methods.recipe import (
    read_recipe,
    refuse_difference,
    refuse_unknown,
    wrong_value,
)
from likewise.methods.spec import Makes
from likewise.methods.table import METHODS
from likewise.models.source import parse_name
from likewise.registry import Count
from likewise.training.options import TrainingOptions

BASE = "minilm"
PREFIX = "stage:"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
REFERENCE = re.compile(rf"{PREFIX}([^\s,]*)")
RESERVED = frozenset({"minilm", "bm25", "tf-idf", "majority"})  # others have these in a table
SINGLE = ("data", "method", "options")  # of a run of one method


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One run among several.

    Attributes:
        name: of the stage, of letters, digits, - and _.
        data: files to train on.
        method: a name in `METHODS`, or "auto".
        base: what it starts from: "stage:NAME" or NAME of an earlier stage, or a model; where
            empty, the nearest stage before it that makes an embedding model, or the recipe's base.
        dev: data that this stage is measured on in its own folder; where None, the recipe's.
        kind: of the data, if it fits two.
        columns: role to column, where they are not the accepted names.
        score_range: lowest and highest possible score.
        skip_bad: bad rows are skipped and counted.
        rows: so many rows of the data, drawn with the seed of the training; None for all.
        training: any of `TrainingOptions`, over those of the recipe.
        options: of the method; "stage:NAME" in one stands for the model of an earlier stage.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: str
    data: tuple[str, ...]
    method: str = "auto"
    base: str = ""
    dev: str | None = None
    kind: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    score_range: tuple[float, float] | None = None
    skip_bad: bool = False
    rows: Count | None = None
    training: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def references(self) -> tuple[str, ...]:
        """The stages that this one names, in its base and in its options."""
        values = [self.base, *(v for v in self.options.values() if isinstance(v, str))]
        return tuple(name for value in values for name in REFERENCE.findall(value))

    def settings(self, folders: Mapping[str, Path]) -> dict[str, Any]:
        """Training and method options, with the models of earlier stages in place of their names.

        Args:
            folders: stage to the folder of its model.
        """

        def filled(value: Any) -> Any:
            if not isinstance(value, str):
                return value
            return REFERENCE.sub(lambda found: str(folders[found[1]]), value)

        return {**self.training, **{key: filled(value) for key, value in self.options.items()}}


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedRecipe:
    """Several runs that feed each other.

    Attributes:
        base: the model that the first stage starts from, and that all are compared with.
        dev: data that every stage is measured on; None where there is none in common.
        stages: in the order in which they run.
    """

    base: str = BASE
    dev: str | None = None
    stages: tuple[Stage, ...]

    def to_tables(self) -> dict[str, Any]:
        """As TOML holds it: what is not set is left out."""
        return {key: _set_only(v) for key, v in asdict(self).items() if v is not None}

    def to_toml(self) -> str:
        """As `recipe.toml` in the run's folder has it."""
        return tomli_w.dumps(self.to_tables())


def build_staged(given: Mapping[str, Any], *, where: str) -> StagedRecipe:
    """Check a recipe of stages written as nested tables.

    Args:
        given: as `tomllib` reads it: `base`, `dev`, `[training]` for all stages, `[[stages]]`.
        where: its file, for errors.

    Raises:
        InputError: no stages, an unknown key, a wrong value, two stages of one name, or one that
            starts from, or names, a stage that does not come before it.
    """
    place = Where(path=where)
    for key in SINGLE:
        if key in given:
            problem = f'"{key}" stands beside [[stages]], where each stage has its own'
            mend = f"write {key} below the [[stages]] that it is for"
            raise InputError(problem, where=place, mend=mend)
    refuse_unknown(given, ["base", "dev", "training", "stages"], "a recipe of stages", place)
    tables = given.get("stages")
    if not isinstance(tables, list | tuple) or not tables:
        problem = "there are no stages" if tables in ([], ()) else "stages: expected tables"
        mend = "write [[stages]] on a line of its own, and name, method and data below it"
        raise InputError(problem, where=place, mend=mend)
    shared = _training(given.get("training", {}), "[training]", place)
    stages = [_stage(table, i, shared, place) for i, table in enumerate(tables, start=1)]
    base = given.get("base", BASE)
    linked = _linked(stages, str(base), place)
    try:
        values = {"base": base, "dev": given.get("dev"), "stages": linked}
        return TypeAdapter(StagedRecipe).validate_python(values)
    except ValidationError as error:
        raise wrong_value(error, place) from error


def refuse_changed_stages(path: Path, asked: StagedRecipe, begun: Iterable[str]) -> None:
    """Go on only with the same stages, as far as they are done or begun; later ones may change.

    Args:
        path: `recipe.toml` of the run to go on with; where it is not there, nothing was begun.
        asked: what is asked for now.
        begun: folders of the stages that have begun, in order.

    Raises:
        InputError: something that has begun differs; names the first key that does.
    """
    if not path.is_file():
        return
    place, old = Where(path=str(path)), read_recipe(path)
    if "stages" not in old:
        problem = "the run was begun with one method, now with stages"
        raise InputError(problem, where=place, mend="choose another --out")
    new = tomllib.loads(asked.to_toml())
    count = len(list(begun))
    if not count:
        return
    stages = [tables.pop("stages") for tables in (old, new)]
    refuse_difference(old, new, place)
    for number, before in enumerate(stages[0][:count], start=1):
        now = stages[1][number - 1] if number <= len(stages[1]) else {}
        same = before["name"] == now.get("name")
        inside = f"stages.{before['name']}." if same else f"stages[{number}]."
        refuse_difference(before, now, place, inside=inside)


def _stage(table: Any, number: int, shared: Mapping[str, Any], place: Where) -> Stage:
    """One table of [[stages]], with the training options of all."""
    if not isinstance(table, Mapping):
        problem = f"stages[{number}]: expected a table, found {table!r}"
        raise InputError(problem, where=place, mend="write [[stages]] and its keys below it")
    named = f'stage "{table["name"]}"' if "name" in table else f"stages[{number}]"
    refuse_unknown(table, [f.name for f in fields(Stage)], named, place)
    for key in ("name", "data"):
        if not table.get(key):
            raise InputError(f"{named} has no {key}", where=place, mend=f'add {key} = "…" to it')
    data = table["data"]
    files = (data,) if isinstance(data, str) else data
    own = _training(table.get("training", {}), f"[training] of {named}", place)
    try:
        values = {**table, "data": files, "training": {**shared, **own}}
        return TypeAdapter(Stage).validate_python(values)
    except ValidationError as error:
        raise wrong_value(error, place, inside=f"{named}, ") from error


def _training(given: Any, table: str, place: Where) -> Mapping[str, Any]:
    """Training options as they were given, checked."""
    if not isinstance(given, Mapping):
        problem = f"{table}: expected a table, found {given!r}"
        raise InputError(problem, where=place, mend="write its keys below it, one a line")
    refuse_unknown(given, [f.name for f in fields(TrainingOptions)], table, place)
    try:
        TypeAdapter(TrainingOptions).validate_python(dict(given))
    except ValidationError as error:
        raise wrong_value(error, place, inside=f"{table} ") from error
    except InputError as error:
        raise InputError(f"{table} {error.problem}", where=place, mend=error.mend) from error
    return given


def _linked(stages: list[Stage], base: str, place: Where) -> list[Stage]:
    """The stages with what each starts from written out; refuses what does not come before it."""
    linked: list[Stage] = []
    earlier: dict[str, Makes] = {}
    for stage in stages:
        _refuse_name(stage.name, list(earlier), place)
        linked.append(replace(stage, base=_start(stage, earlier, base)))
        for name in linked[-1].references:
            if name not in earlier:
                raise _no_stage(stage.name, name, list(earlier), stages, place)
        try:
            earlier[stage.name] = makes_of(stage.method)
        except InputError as error:
            problem = f'stage "{stage.name}": {error.problem}'
            raise InputError(problem, where=place, mend=error.mend) from error
    return linked


def _start(stage: Stage, earlier: Mapping[str, Makes], base: str) -> str:
    """What a stage starts from: a model's name, or "stage:NAME"."""
    if not stage.base:
        makers = [name for name, makes in earlier.items() if makes == "encoder"]
        return f"{PREFIX}{makers[-1]}" if makers else base
    is_model = stage.base == base or names_model(stage.base)
    return stage.base if is_model or stage.base.startswith(PREFIX) else f"{PREFIX}{stage.base}"


def makes_of(method: str) -> Makes:
    """What comes of a method; "auto" never chooses one that makes a cross-encoder.

    Args:
        method: a name in `METHODS`, or "auto".

    Raises:
        InputError: there is no such method.
    """
    return "encoder" if method == "auto" else METHODS.pick(method, what="method").makes


def names_model(name: str) -> bool:
    """Whether a name is meant for a model and not for a stage: by its form, or by a folder."""
    found = parse_name(name)
    is_special = found.pooling is not None or found.is_static or found.scratch is not None
    has_form = name == "minilm" or name.startswith("hub:") or "/" in name
    return is_special or has_form or Path(name).expanduser().is_dir()


def _refuse_name(name: str, earlier: list[str], place: Where) -> None:
    if name in earlier:
        problem = f'two stages have the name "{name}"'
        raise InputError(problem, where=place, mend="give each a name of its own")
    if not NAME.fullmatch(name) or name.casefold() in RESERVED:
        problem = f'"{name}" cannot be the name of a stage'
        mend = "use letters, digits, - and _, as in mlm-titles, and no model's name"
        raise InputError(problem, where=place, mend=mend)


def _no_stage(
    name: str, missing: str, earlier: list[str], stages: list[Stage], place: Where
) -> InputError:
    """The error for a stage that does not come before the one that names it."""
    if missing == name:
        why = "which is the stage itself"
    elif missing in {stage.name for stage in stages}:
        why = "which comes later"
    else:
        why = "and there is no such stage"
    problem = f'stage "{name}" names the stage "{missing}", {why}'
    before = f"name one that comes before it: {', '.join(earlier)}"
    alone = "it is the first: name a model, or leave base out"
    return InputError(problem, where=place, mend=before if earlier else alone)


def _set_only(value: Any) -> Any:
    """Without what is None, and without empty tables, which TOML need not say."""
    if isinstance(value, Mapping):
        kept = {key: _set_only(inner) for key, inner in value.items() if inner is not None}
        return {key: inner for key, inner in kept.items() if inner != {}}
    return [_set_only(one) for one in value] if isinstance(value, list | tuple) else value
