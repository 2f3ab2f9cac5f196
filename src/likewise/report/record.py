"""One run as the report reads it: everything comes from the files of its folder."""

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from likewise.errors import InputError, Where
from likewise.evaluation.diagnosis import Diagnosis
from likewise.evaluation.result import Evaluation
from likewise.evaluation.schema import read_evaluation
from likewise.training.events import Evaluated, StepDone

NAME_A_RUN = "name the folder that `likewise train --out FOLDER` or `likewise demo` wrote"

T = TypeVar("T")
EVENTS: dict[str, type[StepDone] | type[Evaluated]] = {"step": StepDone, "evaluated": Evaluated}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What a run folder says.

    Attributes:
        name: of the folder.
        evaluation: of `evaluation.json`.
        recipe: `recipe.toml` as it stands, or "".
        manifest: `manifest.json`, or {}.
        steps: of `metrics.jsonl`, each step once.
        evaluated: of `metrics.jsonl`, each step and metric once.
        diagnosis: `report_data.json`, or None.
    """

    name: str
    evaluation: Evaluation
    recipe: str = ""
    manifest: dict[str, Any]
    steps: tuple[StepDone, ...] = ()
    evaluated: tuple[Evaluated, ...] = ()
    diagnosis: Diagnosis | None = None

    @property
    def command(self) -> str:
        """What was typed, ready to be typed again; "" where nobody knows."""
        given = self.manifest.get("command", "")
        return given if isinstance(given, str) else _command(given)


def read_run(folder: Path) -> RunRecord:
    """Read a run folder; only `evaluation.json` has to be there.

    Raises:
        InputError: it is no folder, has no evaluation, or one of its files is damaged.
    """
    place = Where(path=str(folder))
    if not folder.is_dir():
        problem = "is not a folder" if folder.exists() else "does not exist"
        raise InputError(problem, where=place, mend=NAME_A_RUN)
    if not (folder / "evaluation.json").is_file():
        is_run = (folder / "manifest.json").is_file()
        lacking = "is a run without evaluation.json: not finished, or without data to measure on"
        mend = "finish it with --resume, or train it with --dev FILE" if is_run else NAME_A_RUN
        problem = lacking if is_run else "is not the folder of a run: it has no evaluation.json"
        raise InputError(problem, where=place, mend=mend)
    recipe = folder / "recipe.toml"
    steps, evaluated = _metrics(folder / "metrics.jsonl")
    return RunRecord(
        name=folder.resolve().name,
        evaluation=read_evaluation(folder / "evaluation.json"),
        recipe=recipe.read_text(encoding="utf-8") if recipe.is_file() else "",
        manifest=_optional(folder / "manifest.json", _object) or {},
        steps=steps,
        evaluated=evaluated,
        diagnosis=_optional(folder / "report_data.json", Diagnosis.from_json),
    )


def _metrics(path: Path) -> tuple[tuple[StepDone, ...], tuple[Evaluated, ...]]:
    """The events of a run; what a resumed run did again counts once, a cut last line not at all."""
    steps: dict[int, StepDone] = {}
    evaluated: dict[tuple[int, str], Evaluated] = {}
    lines = path.read_text(encoding="utf-8").split("\n") if path.is_file() else []
    for row, line in enumerate(lines, start=1):
        try:
            event = _event(line)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if row == len(lines):
                break  # a crash may leave half a line
            where = Where(path=str(path), row=row)
            problem = f"expected a training event, found {line[:60]!r}"
            raise InputError(problem, where=where, mend="delete that line") from error
        if isinstance(event, StepDone):
            steps[event.step] = event
        elif isinstance(event, Evaluated):
            evaluated[event.step, event.metric] = event
    ordered = sorted(evaluated.values(), key=lambda event: event.step)
    return tuple(steps[step] for step in sorted(steps)), tuple(ordered)


def _event(line: str) -> StepDone | Evaluated | None:
    if not line.strip():
        return None
    values = json.loads(line)
    kind = EVENTS.get(values["event"])
    if kind is None:
        return None
    return kind(**{part.name: values[part.name] for part in fields(kind)})


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"expected an object, found {type(value).__name__}")
    return value


def _optional(path: Path, make: Callable[[Any], T]) -> T | None:
    return _checked(path, make) if path.is_file() else None


def _checked(path: Path, make: Callable[[Any], T]) -> T:
    try:
        return make(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        mend = "it was changed or cut: run `likewise train` again, or take it from a backup"
        raise InputError(
            f"cannot be read: {error}", where=Where(path=str(path)), mend=mend
        ) from error


def _command(arguments: list[str]) -> str:
    """An argument list as a shell takes it, the program by its name alone."""
    program, *rest = arguments or [""]
    return shlex.join([Path(program).name, *rest])
