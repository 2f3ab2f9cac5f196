"""Small recipes as files, on data of the session's kinds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from methods.stage_runs import write_dev

TRAINING = {"epochs": 1, "batch_size": 16, "checkpoint_every": 2, "evaluations": 0}


def write_recipe(path: Path, tables: Mapping[str, Any]) -> Path:
    path.write_text(tomli_w.dumps(tables))
    return path


def write_recipes(folder: Path, base: Path, pairs: Path, texts: Path) -> list[Path]:
    """Pairs by mnr, and plain texts by simcse, four steps each, on the same dev data."""
    shared = {"base": str(base), "dev": str(write_dev(folder / "dev.jsonl")), "training": TRAINING}
    return [
        write_recipe(folder / "mnr.toml", {**shared, "data": str(pairs), "method": "mnr"}),
        write_recipe(folder / "simcse.toml", {**shared, "data": str(texts), "method": "simcse"}),
    ]
