"""Run folders written by hand, as training leaves them."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

EVALUATION: dict[str, Any] = {
    "schema": "likewise.evaluation/1",
    "results": [
        {
            "model": name,
            "task": "stdlib-code-search",
            "n": 853,
            "texts_per_second": speed,
            "metrics": {
                "ndcg@10": {"value": value, "low": value - 0.03, "high": value + 0.03},
                "recall@10": {"value": value + 0.1, "low": value + 0.07, "high": value + 0.13},
                "mrr@10": {"value": value - 0.05, "low": value - 0.08, "high": value - 0.02},
            },
        }
        for name, value, speed in (
            ("bm25", 0.52, None),
            ("minilm", 0.6, 701.3),
            ("trained", 0.683, 698.0),
        )
    ],
    "differences": [
        {
            "task": "stdlib-code-search",
            "metric": "ndcg@10",
            "model": "trained",
            "against": against,
            "value": value,
            "low": value - 0.02,
            "high": value + 0.02,
            "p_value": p_value,
        }
        for against, value, p_value in (("bm25", 0.163, 0.0001), ("minilm", 0.083, 0.0012))
    ],
    "verdict": "better",
}
MANIFEST: dict[str, Any] = {
    "schema": "likewise.manifest/1",
    "started": "2026-01-02T03:04:05+00:00",
    "command": ["/x/.venv/bin/likewise", "train", "my pairs.csv", "--out", "runs/first"],
    "base": "minilm",
    "files": {"my pairs.csv": "ab" * 32},
    "packages": {"likewise": "0.1.0", "torch": "2.13.0"},
    "python": "3.11.2",
    "machine": {"system": "Linux", "threads": 2, "memory": 8 * 2**30, "cuda": None},
    "rows": {"train": 4348, "test": 853},
    "cut": {"anchor": 0, "positive": 1207},
    "ignored_columns": ["id", "url"],
    "seed": 42,
    "notes": ["12 rows repeat another and were dropped"],
}
RECIPE = 'base = "minilm"\nmethod = "mnr"\n\n[loss.mnr]\nscale = 20.0\nsymmetric = true\n'


def _metrics_lines(steps: int = 68) -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    lines: list[dict[str, Any]] = []
    for step in range(steps + 1):
        if step % 17 == 0:
            value = 0.6 + 0.083 * (step / steps) ** 0.5
            interval = {"value": value, "low": value - 0.02, "high": value + 0.02}
            lines.append({"event": "evaluated", "step": step, "metric": "ndcg@10", **interval})
        if step < steps:
            lines.append(
                {
                    "event": "step",
                    "step": step + 1,
                    "loss": float(1.1 * np.exp(-step / 20) + 0.3 + rng.normal(0, 0.08)),
                    "rate": 1e-4 * (1 - step / steps),
                    "gradient_norm": 1.5,
                    "rows": 64,
                    "texts": 120,
                    "tokens": 3000,
                    "masked": 3,
                    "seconds": 1.6 * (step + 1),
                }
            )
    return lines


def _diagnosis() -> dict[str, Any]:
    rng = np.random.default_rng(1)

    def cosines(mean: float) -> list[float]:
        return np.clip(rng.normal(mean, 0.13, 800), -1, 1).round(4).tolist()

    return {
        "schema": "likewise.diagnosis/1",
        "task": "stdlib-code-search",
        "similarities": {
            "before": {
                "a query and its answer": cosines(0.48),
                "a query and another answer": cosines(0.1),
            },
            "after": {
                "a query and its answer": cosines(0.61),
                "a query and another answer": cosines(0.02),
            },
        },
        "errors": [
            {
                "kind": "retrieval",
                "query": f"Return the {word} of the table.",
                "expected": f"def {word}(self):\n    return self._{word} or None",
                "got": "def rows(self):\n    " + "x = self.step()\n    " * 40,
                "rank": None if i == 0 else 97 - 7 * i,
                "rank_before": 12 + i,
                "depth": 100,
            }
            for i, word in enumerate(("width", "height", "name"))
        ]
        + [
            {
                "kind": "similarity",
                "left": "A man is playing a flute.",
                "right": "A man is playing the guitar.",
                "gold": 1.2,
                "cosine": 0.81,
                "cosine_before": 0.72,
                "gold_share": 0.21,
                "cosine_share": 0.88,
            }
        ],
        "notes": ["similarities of 800 queries, drawn from 853"],
    }


@pytest.fixture
def evaluation() -> Callable[[], dict[str, Any]]:
    return lambda: deepcopy(EVALUATION)


@pytest.fixture
def manifest() -> Callable[[], dict[str, Any]]:
    return lambda: deepcopy(MANIFEST)


@pytest.fixture
def metrics_lines() -> Callable[..., list[dict[str, Any]]]:
    return _metrics_lines


@pytest.fixture
def diagnosis() -> Callable[[], dict[str, Any]]:
    return _diagnosis


@pytest.fixture
def write_run(tmp_path: Path) -> Callable[..., Path]:
    """Write a run folder; a part that is None is left out."""

    def write_run(name: str = "first", **changed: Any) -> Path:
        parts: dict[str, Any] = {
            "evaluation.json": EVALUATION,
            "manifest.json": MANIFEST,
            "report_data.json": _diagnosis(),
            "metrics.jsonl": _metrics_lines(),
            "recipe.toml": RECIPE,
        }
        keys = {file.split(".")[0]: file for file in parts}
        parts |= {keys[key]: value for key, value in changed.items()}
        folder = tmp_path / name
        folder.mkdir()
        for file, value in parts.items():
            if file == "metrics.jsonl" and isinstance(value, list):
                value = "".join(json.dumps(line) + "\n" for line in value)
            if value is not None:
                text = value if isinstance(value, str) else json.dumps(value)
                (folder / file).write_text(text, encoding="utf-8")
        return folder

    return write_run
