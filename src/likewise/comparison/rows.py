"""Rows of a comparison: recipes, each a set-up to be trained and measured on the same data."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from likewise.data.dataset import Dataset, RetrievalSet
from likewise.data.reading import read
from likewise.errors import InputError, Where
from likewise.methods.dev_data import measurable
from likewise.methods.recipe import build_recipe, read_recipe
from likewise.methods.stage_check import Plan, plan_stages
from likewise.methods.stage_recipe import NAME, RESERVED, Stage, StagedRecipe, build_staged
from likewise.methods.table import METHODS
from likewise.models.source import parse_name, refuse_missing, resolve_model
from likewise.training.run_folder import hash_file

WEIGHTS = ("*.safetensors", "*.bin", "*.npz")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One set-up.

    Attributes:
        name: in the table; also of its folder.
        recipe: what is trained, and what it is measured on; without a stage, its base is
            measured as it is.
        where: its file, for errors.
        reference: a figure from elsewhere that stands beside it in the table.
    """

    name: str
    recipe: StagedRecipe
    where: str
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One row with one seed: a run.

    Attributes:
        row: what it belongs to.
        seed: of its training.
        recipe: the row's, with that seed and its share of the time.
        folder: of the run.
        plan: its data, read and checked.
        identity: of recipe, data and base model: the same identity is the same run.
        labels: labels of people that it learns from.
        rows: rows that its last stage trains on.
    """

    row: Row
    seed: int
    recipe: StagedRecipe
    folder: Path
    plan: Plan
    identity: str
    labels: int
    rows: int


def read_rows(
    paths: Sequence[str | Path], *, dev: str | None = None, base: str | None = None
) -> list[Row]:
    """Read recipes, of one method or of stages, each a row named after its file.

    Args:
        paths: TOML files, one at least.
        dev: data that all are measured on, in place of what they name.
        base: the model that all start from, likewise.

    Raises:
        InputError: a file is no recipe, names no data to measure on, or two have one name.
    """
    rows: list[Row] = []
    for path in map(Path, paths):
        tables = read_recipe(path)
        tables |= {key: value for key, value in (("dev", dev), ("base", base)) if value is not None}
        row = make_row(path.stem, tables, where=str(path))
        if row.name in {other.name for other in rows}:
            problem = f'two recipes have the name "{row.name}"'
            mend = "rename one of the files: a row is named after its file"
            raise InputError(problem, where=Where(path=str(path)), mend=mend)
        rows.append(row)
    return rows


def make_row(name: str, tables: Mapping[str, Any], *, where: str, reference: str = "") -> Row:
    """A row from the tables of its recipe.

    Args:
        name: in the table; letters, digits, - and _ of it name its folder.
        tables: of a recipe of one method, or of stages.
        where: its file, for errors.
        reference: a figure from elsewhere.

    Raises:
        InputError: the recipe is wrong, or names no data to measure on.
    """
    slug = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_")
    if not NAME.fullmatch(slug) or slug.casefold() in RESERVED:
        slug = f"row-{slug}".rstrip("-")
    recipe = build_staged(_as_stages(slug, tables, where), where=where)
    if recipe.dev is None:
        mend = 'add dev = "…" to it, or give --dev: all rows are measured on the same data'
        raise InputError("names no data to measure on", where=Where(path=where), mend=mend)
    return Row(name=slug, recipe=recipe, where=where, reference=reference)


def untouched_row(name: str, base: str, dev: str, *, where: str, reference: str = "") -> Row:
    """A row that is a model as it is.

    Args:
        name: in the table, letters, digits, - and _.
        base: what `likewise.load` takes.
        dev: data to measure on.
        where: what asks for it, for errors.
        reference: a figure from elsewhere.
    """
    recipe = StagedRecipe(base=base, dev=dev, stages=())
    return Row(name=name, recipe=recipe, where=where, reference=reference)


def _as_stages(name: str, tables: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A recipe of one method as one of a single stage."""
    if "stages" in tables:
        return dict(tables)
    build_recipe(tables, where=where)  # its errors speak of keys as they stand in the file
    own = {key: tables[key] for key in ("data", "method", "training", "options") if key in tables}
    if not own.get("data"):
        raise InputError("names no data", where=Where(path=where), mend='add data = "pairs.csv"')
    outer = {key: tables[key] for key in ("base", "dev") if key in tables}
    return {**outer, "stages": [{"name": name, **own}]}


def plan_jobs(
    rows: Sequence[Row],
    out: Path,
    *,
    seeds: int = 1,
    minutes: float | None = None,
    allow_leak: bool = False,
) -> list[Job]:
    """Read and check all that every row needs, before anything is trained.

    Args:
        rows: in the order of the table.
        out: folder of the comparison.
        seeds: runs of each row.
        minutes: of all runs together, shared evenly; None for what the recipes say.
        allow_leak: measure although dev rows stand in the training data.

    Raises:
        InputError: whatever would stop a row before its first step; rows are measured on
            different data.
    """
    trained = sum(bool(row.recipe.stages) for row in rows)
    share = None if minutes is None else minutes / max(trained * seeds, 1)
    jobs = [
        _job(row, out, number=number, minutes=share, allow_leak=allow_leak)
        for row in rows
        for number in range(seeds if row.recipe.stages else 1)
    ]
    measured = {_fingerprint(job.plan.common): job.row for job in jobs}
    if len(measured) > 1:
        first, second, *_ = measured.values()
        problem = (
            f"{first.where} is measured on {first.recipe.dev}, "
            f"{second.where} on {second.recipe.dev}: nothing can be compared"
        )
        raise InputError(problem, mend="measure all on the same data with --dev FILE")
    return jobs


def _job(row: Row, out: Path, *, number: int, minutes: float | None, allow_leak: bool) -> Job:
    own = row.recipe.stages
    seed = number + min((int(stage.training.get("seed", 0)) for stage in own), default=0)
    changed: dict[str, Any] = {"seed": seed}
    if minutes is not None and own:
        changed["minutes"] = minutes / len(own)
    stages = tuple(replace(stage, training={**stage.training, **changed}) for stage in own)
    recipe, folder = replace(row.recipe, stages=stages), out / row.name / f"seed-{seed}"
    plan = (
        plan_stages(recipe, folder, allow_leak=allow_leak, where=row.where)
        if own
        else _plan_untouched(recipe)
    )
    return Job(
        row=row,
        seed=seed,
        recipe=recipe,
        folder=folder,
        plan=plan,
        identity=_identity(recipe, plan),
        labels=sum(_labels(planned.stage, planned.trained_on) for planned in plan.stages),
        rows=int(plan.stages[-1].trained_on["rows"]) if plan.stages else 0,
    )


def _plan_untouched(recipe: StagedRecipe) -> Plan:
    """Nothing but the data that a model is measured on."""
    refuse_missing(recipe.base)
    dev = read(str(recipe.dev))
    return Plan(stages=(), common=measurable(dev, 0, "encoder"), files=tuple(dev.sources))


def _labels(stage: Stage, trained_on: Mapping[str, Any]) -> int:
    """Rows whose labels, scores or pairs a stage learns from; none where texts are enough."""
    method = METHODS[stage.method]
    return method.labels_of(trained_on["kind"], stage.options, int(trained_on["rows"]))


def _identity(recipe: StagedRecipe, plan: Plan) -> str:
    resolved = replace(recipe, stages=tuple(planned.stage for planned in plan.stages))
    facts = {
        "recipe": resolved.to_tables(),
        "train": [planned.trained_on for planned in plan.stages],
        "dev": _fingerprint(plan.common),
        "base": _weights(recipe.base),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


def _weights(name: str) -> dict[str, str | None]:
    """File to hash of the base model's weights; nothing where they are drawn."""
    named = parse_name(name)
    if named.scratch is not None:
        return {}
    if named.is_static:
        return {named.base: hash_file(Path(named.base).expanduser())}
    folder = resolve_model(named.base)
    files = sorted(file for pattern in WEIGHTS for file in folder.rglob(pattern))
    return {str(file.relative_to(folder)): hash_file(file) for file in files}


def _fingerprint(data: Dataset | RetrievalSet | None) -> str:
    return "" if data is None else data.fingerprint
