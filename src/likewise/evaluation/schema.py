"""An evaluation as JSON: the schema "likewise.evaluation/1" that the commands print and keep."""

import json
import math
from pathlib import Path
from typing import Any

from likewise.errors import InputError, Where
from likewise.evaluation.result import PRICES, Difference, Evaluation, Result, Score

SCHEMA = "likewise.evaluation/1"


def to_json(evaluation: Evaluation) -> dict[str, Any]:
    """The evaluation as plain values; floats keep every digit through JSON and back.

    Draws and details stay behind. The primary metric of a result is written first.
    """
    return {
        "schema": SCHEMA,
        "results": [_result_to_json(result) for result in evaluation.results],
        "differences": [difference_to_json(difference) for difference in evaluation.differences],
        "verdict": evaluation.verdict,
        **({} if evaluation.general is None else {"general": _general(evaluation.general)}),
    }


def _general(evaluation: Evaluation) -> dict[str, Any]:
    """Results and differences of the sets that show what a gain cost."""
    told = to_json(evaluation)
    return {key: told[key] for key in ("results", "differences")}


def difference_to_json(difference: Difference) -> dict[str, Any]:
    """A difference as plain values; what is not known of it is left out."""
    names = ("task", "metric", "model", "against")
    numbers = ("value", "low", "high", "p_value")
    known = {name: getattr(difference, name) for name in ("p_permutation", "p_holm", "detectable")}
    return {
        **{name: getattr(difference, name) for name in names},
        **{name: float(getattr(difference, name)) for name in numbers},
        **{name: float(value) for name, value in known.items() if value is not None},
    }


def from_json(value: Any, *, where: Where | None = None) -> Evaluation:
    """Read what `to_json` made: results without draws and details.

    Args:
        value: a decoded JSON document.
        where: it came from, for the error.

    Raises:
        InputError: another schema, or a part is missing.
    """
    mend = "give an evaluation.json that Likewise wrote"
    found = value.get("schema") if isinstance(value, dict) else type(value).__name__
    if found != SCHEMA:
        problem = f'expected the schema "{SCHEMA}", found {json.dumps(found)}'
        raise InputError(problem, mend=mend, where=where)
    try:
        general = value.get("general")
        return Evaluation(
            **_measured(value),
            verdict=value["verdict"],
            general=None if general is None else Evaluation(**_measured(general)),
        )
    except (KeyError, TypeError, AttributeError, StopIteration) as error:
        raise InputError(f"a part is missing: {error}", mend=mend, where=where) from error


def write_evaluation(evaluation: Evaluation, path: Path) -> None:
    """Write `evaluation.json`, whole or not at all."""
    text = json.dumps(to_json(evaluation), ensure_ascii=False, indent=2) + "\n"
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def read_evaluation(path: Path) -> Evaluation:
    """Read `evaluation.json`.

    Raises:
        InputError: no such file, not JSON, or not an evaluation.
    """
    where = Where(path=str(path))
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        mend = "`likewise eval … --out evaluation.json` writes one"
        raise InputError("no such file", mend=mend, where=where) from error
    except ValueError as error:
        mend = "give an evaluation.json that Likewise wrote"
        raise InputError(f"not JSON: {error}", mend=mend, where=where) from error
    return from_json(value, where=where)


def _measured(value: dict[str, Any]) -> dict[str, Any]:
    return {
        "results": tuple(_result_from_json(result) for result in value["results"]),
        "differences": tuple(Difference(**one) for one in value["differences"]),
    }


def _result_to_json(result: Result) -> dict[str, Any]:
    speed = result.texts_per_second
    metrics = sorted(result.scores, key=lambda metric: metric != result.primary)
    return {
        "model": result.model,
        "task": result.task,
        "n": result.n,
        "texts_per_second": None if speed is None else float(speed),
        **{name: getattr(result, name) for name in PRICES[1:] if getattr(result, name)},
        **({"notes": list(result.notes)} if result.notes else {}),
        "metrics": {
            metric: {
                "value": float(result.scores[metric].value),
                "low": _bound(result.scores[metric].low),
                "high": _bound(result.scores[metric].high),
            }
            for metric in metrics
        },
    }


def _bound(end: float) -> float | None:
    """An end of an interval; None (null) for a score that has none."""
    return None if math.isnan(end) else float(end)


def _result_from_json(value: dict[str, Any]) -> Result:
    n = value["n"]
    scores = {
        name: Score(
            n=n,
            value=score["value"],
            **{end: math.nan if score[end] is None else score[end] for end in ("low", "high")},
        )
        for name, score in value["metrics"].items()
    }
    return Result(
        task=value["task"],
        evaluator="",
        primary=next(iter(scores)),
        scores=scores,
        draws={},
        n=n,
        model=value["model"],
        **{name: value[name] for name in PRICES if name in value},
        notes=tuple(value.get("notes", ())),
    )
