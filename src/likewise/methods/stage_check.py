"""Everything that can be wrong with stages, found before the first of them runs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from likewise.data.dataset import Dataset, RetrievalSet
from likewise.data.files import no_such_file
from likewise.data.kinds import KINDS
from likewise.data.readers import READERS
from likewise.data.reading import read
from likewise.data.splits import draw_rows
from likewise.errors import InputError, Where
from likewise.evaluation.evaluators import evaluator_for
from likewise.methods.cross_encoder import labels_of
from likewise.methods.dev_data import measurable, prepare_dev
from likewise.methods.gpl import BASE, miner_names, refuse_untaught
from likewise.methods.recipe import Recipe
from likewise.methods.settle import rows_to_train, settle
from likewise.methods.spec import Makes
from likewise.methods.stage_recipe import PREFIX, Stage, StagedRecipe, makes_of
from likewise.methods.table import METHODS
from likewise.mining.miners import BM25
from likewise.models.source import refuse_missing
from likewise.training.fit import refuse_lonely
from likewise.training.seeding import generator

Data: TypeAlias = Dataset | RetrievalSet

# what an option has to name, where any method but distillation, which takes both, has it
NEEDED: Mapping[str, Makes] = {"guide": "encoder", "teacher": "cross-encoder"}
TAKES_BOTH = frozenset({"distillation"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One stage with its data.

    Attributes:
        stage: with everything decided.
        folder: of its run.
        rows: to train on.
        dev: that its own run is measured on; None holds a part of the rows out, where it can.
        trained_on: kind, number and fingerprint of the rows that will be left to train on.
        notes: what was decided about its rows besides what its own run says.
    """

    stage: Stage
    folder: Path
    rows: Dataset
    dev: Data | None
    trained_on: dict[str, Any]
    notes: tuple[str, ...] = ()

    @property
    def makes(self) -> Makes:
        """What comes of it."""
        return makes_of(self.stage.method)

    @property
    def model(self) -> Path:
        """The folder of its model."""
        return self.folder / "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All stages, and the data that all are measured on, as it is measured; None without."""

    stages: tuple[Planned, ...]
    common: Data | None
    files: tuple[str, ...]


def plan_stages(
    recipe: StagedRecipe, folder: Path, *, allow_leak: bool, where: str | None = None
) -> Plan:
    """Read and check the data of all stages, their options, and what they name.

    Args:
        recipe: of the stages.
        folder: of the run, for those of the stages.
        allow_leak: measure although dev rows stand in the training data.
        where: file of the recipe, for errors about what a stage says.

    Raises:
        InputError: whatever would stop a stage before its first step, as far as it can be known
            before the models are there; names the stage.
    """
    reader = _Reader()
    refuse_missing(recipe.base)
    shared = None if recipe.dev is None else reader.dev(recipe.dev)
    planned: dict[str, Planned] = {}
    for number, stage in enumerate(recipe.stages, start=1):
        with in_stage(stage.name, where=where):
            own = folder / f"{number}-{stage.name}"
            _refuse_references(stage, planned)
            planned[stage.name] = _planned(stage, own, reader, shared, allow_leak=allow_leak)
    last = planned[recipe.stages[-1].name]
    common = shared if shared is not None else last.dev
    return Plan(
        stages=tuple(planned.values()),
        common=None if common is None else measurable(common, _seed(last.stage), "encoder"),
        files=tuple(dict.fromkeys(file for data in reader.seen for file in data.sources)),
    )


@contextmanager
def in_stage(name: str, *, where: str | None = None) -> Iterator[None]:
    """Name the stage in every error of the user's input that comes out of it.

    Args:
        name: of the stage.
        where: file of an error that names none.
    """
    try:
        yield
    except InputError as error:
        problem = f'stage "{name}": {error.problem}'
        place = error.where or (Where(path=where) if where else None)
        raise InputError(problem, mend=error.mend, where=place) from error


class _Reader:
    """Reads each file once, however many stages take it."""

    def __init__(self) -> None:
        self._found: dict[str, Data] = {}

    @property
    def seen(self) -> list[Data]:
        """All that was read."""
        return list(self._found.values())

    def rows(self, stage: Stage) -> Data:
        """The data of a stage, as the stage says that it is to be read."""
        options: dict[str, Any] = {
            "kind": stage.kind,
            "columns": dict(stage.columns) or None,
            "skip_bad": stage.skip_bad,
            "score_range": stage.score_range,
        }
        key = repr((stage.data, options))
        if key not in self._found:
            files = list(stage.data)
            self._found[key] = read(files[0] if len(files) == 1 else [*files], **options)
        return self._found[key]

    def dev(self, name: str) -> Data:
        """Data to measure on."""
        if name not in self._found:
            self._found[name] = read(name)
        return self._found[name]


def _planned(
    stage: Stage, folder: Path, reader: _Reader, shared: Data | None, *, allow_leak: bool
) -> Planned:
    rows, notes = _drawn(rows_to_train(reader.rows(stage), stage.method), stage)
    own = None if stage.dev is None else reader.dev(stage.dev)
    if own is not None and shared is not None:  # measured on both, so it may train on neither
        spared = prepare_dev(rows, shared, allow_leak=allow_leak, seed=0)
        rows, notes = spared.train, (*notes, *spared.notes)
    recipe = settle(rows, stage.dev, stage.base, stage.method, {**stage.training, **stage.options})
    makes, seed = METHODS[recipe.method].makes, recipe.training.seed
    dev = own if own is not None else _if_measurable(shared, makes)
    ready = prepare_dev(rows, dev, allow_leak=allow_leak, seed=seed, makes=makes)
    refuse_lonely(METHODS[recipe.method].contrastive, recipe.training, len(ready.train))
    trained_on = {
        "kind": ready.train.kind,
        "rows": len(ready.train),
        "fingerprint": ready.train.fingerprint,
    }
    return Planned(
        stage=_settled(stage, recipe),
        folder=folder,
        rows=rows,
        dev=dev,
        trained_on=trained_on,
        notes=notes,
    )


def _drawn(rows: Dataset, stage: Stage) -> tuple[Dataset, tuple[str, ...]]:
    """So many rows as the stage asks for, in their order; the same for every stage of one seed."""
    if stage.rows is None or stage.rows >= len(rows):
        return rows, ()
    draw = generator(int(stage.training.get("seed", 0)), "rows")
    role = KINDS[rows.kind].drawn_by
    together = f", those of one {role} together" if role else ""
    note = f"{stage.rows:,} of {len(rows):,} rows are used, drawn at random{together}"
    return draw_rows(rows, stage.rows, draw=draw), (note,)


def _settled(stage: Stage, recipe: Recipe) -> Stage:
    """The stage with its method and every option written down; a rate by the model is not yet."""
    training = {key: value for key, value in asdict(recipe.training).items() if value is not None}
    return replace(stage, method=recipe.method, training=training, options=recipe.options)


def _seed(stage: Stage) -> int:
    return int(stage.training["seed"])


def _if_measurable(dev: Data | None, makes: Makes) -> Data | None:
    """The data that all are measured on, where what the stage makes can be measured on it."""
    if dev is None or makes == "encoder":
        return dev
    try:
        evaluator_for(dev, scores_pairs=True)
    except InputError:
        return None
    return dev


def _refuse_references(stage: Stage, earlier: Mapping[str, Planned]) -> None:
    """Refuse a base or a teacher that is of another sort, or that is not there."""
    if not stage.base.startswith(PREFIX):
        refuse_missing(stage.base)
    elif makes_of(stage.method) == "encoder":
        _refuse_other_sort(earlier[stage.base.removeprefix(PREFIX)], "encoder", "base")
    if stage.method == "gpl":
        _refuse_gpl(stage, earlier)
    for key, value in stage.options.items():
        if not isinstance(value, str) or not value:
            continue
        if value.startswith(PREFIX) and key in NEEDED and stage.method not in TAKES_BOTH:
            _refuse_other_sort(earlier[value.removeprefix(PREFIX)], NEEDED[key], key)
        elif key in NEEDED and PREFIX not in value:
            refuse_missing(value)
        elif Path(value.removesuffix(".gz")).suffix in READERS and not Path(value).exists():
            raise no_such_file(Path(value))


def _refuse_gpl(stage: Stage, earlier: Mapping[str, Planned]) -> None:
    """Refuse a stage whose teacher, generator or miners are not there."""
    refuse_untaught(str(stage.options.get("teacher", "")))
    miners = stage.options.get("miners", BASE)
    for name in miner_names(str(miners)):
        if name.startswith(PREFIX):
            _refuse_other_sort(earlier[name.removeprefix(PREFIX)], "encoder", "miner")
        elif name not in {BASE, BM25}:
            refuse_missing(name)
    generator = str(stage.options.get("generator", ""))
    if generator and PREFIX not in generator:
        refuse_missing(generator)


def _refuse_other_sort(found: Planned, needed: Makes, key: str) -> None:
    name = found.stage.name
    if found.makes != needed:
        what = {"encoder": "an embedding model", "cross-encoder": "a cross-encoder"}
        problem = (
            f'{key} has to be {what[needed]}, and the stage "{name}" makes {what[found.makes]}'
        )
        raise InputError(problem, mend=f"name another stage, or a model's folder, as the {key}")
    if needed == "cross-encoder":
        labels = labels_of(str(found.stage.options.get("loss", "auto")), found.rows)
        if len(labels) > 1:
            problem = f'the stage "{name}" answers {len(labels)} labels; a score is needed'
            raise InputError(problem, mend="train it on pairs, or on pairs with scores")
