"""Small recipes of stages, and their files."""

from pathlib import Path
from typing import Any

from conftest import TOPICS, answer, question, write_lines


def write_dev(path: Path) -> Path:
    """32 pairs that are worded unlike all others."""
    rows = (
        {"anchor": f"can people {verb} a {noun}", "positive": f"someone does {verb} the {noun}"}
        for verb, noun in TOPICS[::2]
    )
    return write_lines(path, rows)


def write_pairs(path: Path) -> Path:
    rows = ({"anchor": question(*topic), "positive": answer(*topic)} for topic in TOPICS)
    return write_lines(path, rows)


def two_stages(base: Path, texts: Path, pairs: Path, dev: Path | None, **more: Any) -> dict:
    """Plain texts by simcse, then pairs by mnr: four steps each."""
    return {
        "base": str(base),
        **({} if dev is None else {"dev": str(dev)}),
        "training": {"epochs": 1, "batch_size": 16, "checkpoint_every": 2, **more},
        "stages": [
            {"name": "texts", "method": "simcse", "data": str(texts)},
            {"name": "pairs", "method": "mnr", "data": str(pairs), "options": {"scale": 10.0}},
        ],
    }
