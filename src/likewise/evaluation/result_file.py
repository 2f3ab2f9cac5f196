"""A result with its draws in one file, so that it can be compared to others later."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from likewise.errors import InputError, Where
from likewise.evaluation.result import PRICES, Items, Result, Score

KEPT = ("task", "evaluator", "primary", "n", "model", "data", "seed", "notes")


def write_result(result: Result, path: Path) -> None:
    """Write scores, draws and items, whole or not at all; details stay behind.

    Args:
        result: of one model on one task.
        path: an .npz file, replaced if it is there.
    """
    facts = {name: getattr(result, name) for name in (*KEPT, *PRICES)}
    facts["scores"] = {metric: asdict(found) for metric, found in result.scores.items()}
    facts["items"] = {metric: found.measure for metric, found in result.items.items()}
    arrays: dict[str, Any] = {"facts": np.array(json.dumps(facts)), **result.draws}
    for metric, found in result.items.items():
        arrays |= {f"scores of {metric}": found.scores, f"gold of {metric}": found.gold}
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("wb") as file:
        np.savez(file, **arrays)
    draft.replace(path)


def read_result(path: Path) -> Result:
    """Read what `write_result` wrote.

    Raises:
        InputError: no such file, or a damaged one.
    """
    where, mend = Where(path=str(path)), "remove it: it is measured again"
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            facts = json.loads(str(file["facts"]))
            scores = {metric: Score(**values) for metric, values in facts.pop("scores").items()}
            draws = {metric: file[metric] for metric in scores}
            items = {
                metric: Items(
                    measure=measure,
                    scores=file[f"scores of {metric}"],
                    gold=file[f"gold of {metric}"],
                )
                for metric, measure in facts.pop("items", {}).items()  # none in older files
            }
        facts["notes"] = tuple(facts["notes"])
        return Result(scores=scores, draws=draws, items=items, **facts)
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
        raise InputError(f"no result can be read: {error}", mend=mend, where=where) from error
