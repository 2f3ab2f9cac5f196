"""Stop and go on, bit for bit: checkpoints that are whole or not there.

A checkpoint is a loadable model folder with `training.safetensors` (optimiser, head, random
state) and `training.json` (where the run stood, and the hash of every file) beside it.
"""

import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from likewise.training.run_folder import hash_file
from likewise.training.seeding import random_state, restore_random_state
from likewise.training.trainable import Trainable, restore_weights

logger = logging.getLogger(__name__)

TENSORS, STATE = "training.safetensors", "training.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a run stands.

    Attributes:
        step: optimiser steps done.
        seconds: of training, evaluation left out.
        best_step: of the best evaluation so far, None before the first.
        best_value: its primary metric.
        clock: seconds since the first step, evaluations and checkpoints included.
    """

    step: int = 0
    seconds: float = 0.0
    best_step: int | None = None
    best_value: float | None = None
    clock: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """All that training changes."""

    encoder: Trainable
    optimiser: torch.optim.Optimizer
    head: nn.Module | None = None


def save_checkpoint(folder: Path, trained: Trained, progress: Progress, *, kept: int = 2) -> Path:
    """Write a checkpoint beside its final name, rename it, and prune older ones.

    Args:
        folder: the run's `checkpoints`.
        trained: what to save.
        progress: where the run stands.
        kept: how many of the newest to keep.
    """
    target = folder / f"step-{progress.step:08d}"
    draft = folder / f".{target.name}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    trained.encoder.save(draft)
    save_file(_tensors(trained), draft / TENSORS, metadata={"format": "pt"})
    hashes = {
        str(file.relative_to(draft)): hash_file(file)
        for file in sorted(draft.rglob("*"))
        if file.is_file()
    }
    state = json.dumps({"progress": asdict(progress), "sha256": hashes}, indent=2)
    (draft / STATE).write_text(state, encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    draft.rename(target)
    for old in _checkpoints(folder)[:-kept]:
        shutil.rmtree(old)
    return target


def newest_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint whose files all have the hash that was written with them."""
    for path in reversed(_checkpoints(folder)):
        if _is_whole(path):
            return path
        logger.warning("%s is damaged; trying the one before it", path)
    return None


def read_progress(checkpoint: Path) -> Progress:
    """Where the run stood."""
    state = json.loads((checkpoint / STATE).read_text(encoding="utf-8"))
    return Progress(**state["progress"])


def steps_done(folder: Path) -> int | None:
    """The step of the newest good checkpoint, that a run goes on from; None where there is none."""
    found = newest_checkpoint(folder)
    return None if found is None else read_progress(found).step


def restore_checkpoint(checkpoint: Path, trained: Trained) -> Progress:
    """Put weights, head, optimiser and random state back as they were.

    Args:
        checkpoint: as `newest_checkpoint` gave it.
        trained: built from the same base model, data and options.
    """
    restore_weights(trained.encoder, checkpoint)
    tensors = load_file(checkpoint / TENSORS)
    if trained.head is not None:
        trained.head.load_state_dict(_part(tensors, "head."))
    state = trained.optimiser.state_dict()
    for i in state["param_groups"]:
        for j in i["params"]:
            own = _part(tensors, f"optimiser.{j}.")
            if own:
                state["state"][j] = own
    trained.optimiser.load_state_dict(state)
    saved = [tensors[name] for name in sorted(tensors) if name.startswith("random.")]
    restore_random_state(saved, trained.encoder.device)
    return read_progress(checkpoint)


def _tensors(trained: Trained) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for i, own in trained.optimiser.state_dict()["state"].items():
        for name, value in own.items():
            tensors[f"optimiser.{i}.{name}"] = torch.as_tensor(value).detach().contiguous().cpu()
    if trained.head is not None:
        for name, value in trained.head.state_dict().items():
            tensors[f"head.{name}"] = value.detach().contiguous().cpu()
    for i, value in enumerate(random_state(trained.encoder.device)):
        tensors[f"random.{i}"] = value
    return tensors


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Any]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


def _checkpoints(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("step-*") if path.is_dir())


def _is_whole(path: Path) -> bool:
    try:
        hashes = json.loads((path / STATE).read_text(encoding="utf-8"))["sha256"]
        return all(hash_file(path / name) == expected for name, expected in hashes.items())
    except (OSError, ValueError, KeyError):
        return False
