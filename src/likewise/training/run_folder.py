"""A run on disk: what was asked, what it ran on, what happened."""

import hashlib
import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil
import torch

from likewise.errors import InputError, Where
from likewise.training.events import Event

STAGE = re.compile(r"\d+-[A-Za-z0-9_-]+")  # folder of a stage inside that of its run
MOST_FILES = 20  # named one by one
PACKAGES = ("likewise", "torch", "transformers", "tokenizers", "numpy", "scipy", "pyarrow")


def refuse_folder(folder: Path, *, overwrite: bool, resume: bool) -> None:
    """Refuse a folder that holds something already; writes nothing.

    Raises:
        InputError: the folder is not empty, and neither resume nor overwrite was asked for; or
            what it holds is no run.
    """
    holds = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    if holds and not (resume or overwrite):
        mend = "choose another --out, or add --resume to go on, or --overwrite to replace it"
        raise InputError("exists already", where=Where(path=str(folder)), mend=mend)
    if holds and not _is_run(folder):
        mend = "choose another --out: only a folder that holds a run is replaced or gone on with"
        raise InputError("is not a run of Likewise", where=Where(path=str(folder)), mend=mend)


def open_run(folder: Path, *, overwrite: bool, resume: bool) -> None:
    """Make the run's folder, or refuse one as `refuse_folder` does."""
    refuse_folder(folder, overwrite=overwrite, resume=resume)
    folder.mkdir(parents=True, exist_ok=True)


def clear_run(folder: Path) -> None:
    """Take away what an earlier run left, the folders of its stages too, and nothing else."""
    stages = read_manifest(folder).get("stages", {})
    inner = [str(stage.get("folder", "")) for stage in stages.values()]
    for name in ("checkpoints", "model", *(name for name in inner if STAGE.fullmatch(name))):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in ("metrics.jsonl", "evaluation.json", "report_data.json", "report.html"):
        (folder / name).unlink(missing_ok=True)


def read_manifest(folder: Path) -> dict[str, Any]:
    """What `manifest.json` says; nothing where there is none."""
    path = folder / "manifest.json"
    found: dict[str, Any] = {}
    if path.is_file():
        found = json.loads(path.read_text(encoding="utf-8"))
    return found


def refuse_other_run(folder: Path, facts: Mapping[str, Any]) -> None:
    """Refuse to go on where the files of that name hold something else by now; writes nothing.

    Args:
        folder: of the run; what holds none has begun in no way yet.
        facts: those of the manifest that are known now, as they are now.

    Raises:
        InputError: the run began with other weights or on other rows.
    """
    began = read_manifest(folder)
    for key, what in (("base_sha256", "from another base model"), ("train", "on other rows")):
        if key in began and key in facts and began[key] != facts[key]:
            mend = "put back what the run began with, or choose another --out"
            raise InputError(f"began {what}", where=Where(path=str(folder)), mend=mend)


def _is_run(folder: Path) -> bool:
    return folder.is_dir() and (folder / "manifest.json").is_file()


def write_manifest(
    folder: Path, *, files: Sequence[str], base: str, facts: Mapping[str, Any]
) -> None:
    """Write `manifest.json`: hashes, versions, machine, command.

    Args:
        folder: of the run.
        files: data files to hash; those that are no local files are only named.
        base: the base model as named, with its fingerprint in `facts`.
        facts: row counts, seed and whatever else belongs there.
    """
    manifest = {
        "schema": "likewise.manifest/1",
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": sys.argv,
        "base": base,
        "files": _hashes(files),
        "packages": {name: _version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "machine": {
            "system": platform.platform(),
            "processor": platform.processor() or platform.machine(),
            "threads": torch.get_num_threads(),
            "memory": psutil.virtual_memory().total,
            "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        },
        **facts,
    }
    write_json(folder / "manifest.json", manifest)


def add_to_manifest(folder: Path, facts: Mapping[str, Any]) -> None:
    """Add what was only known once training was over."""
    write_json(folder / "manifest.json", {**read_manifest(folder), **facts})


def write_json(path: Path, value: Any) -> None:
    """Write beside and rename, so that a reader never sees half a file."""
    draft = path.with_name(f".{path.name}.draft")
    text = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


class MetricsFile:
    """Observer that appends every event to `metrics.jsonl`."""

    def __init__(self, folder: Path, *, keep_until: int | None = None) -> None:
        """Start the file anew, or keep what happened up to a step that a run goes on from.

        Args:
            folder: of the run.
            keep_until: events after this step are dropped: they happen again.
        """
        self.path = folder / "metrics.jsonl"
        kept: list[str] = []
        if keep_until is not None and self.path.exists():
            lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines if _step_of(line) <= keep_until]
        self.path.write_text("".join(kept), encoding="utf-8")

    def __call__(self, event: Event) -> None:
        """Write one line."""
        name = {"StepDone": "step", "Evaluated": "evaluated", "Saved": "saved"}
        line = json.dumps({"event": name[type(event).__name__], **asdict(event)})
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def _step_of(line: str) -> float:
    """The step of a line; a line cut off by a crash belongs nowhere."""
    try:
        return int(json.loads(line)["step"]) if line.endswith("\n") else float("inf")
    except (ValueError, KeyError, TypeError):
        return float("inf")


def short_list(files: Sequence[str]) -> list[str]:
    """The files themselves, or the folder they lie in where they are many."""
    if len(files) <= MOST_FILES:
        return list(files)
    return [os.path.commonpath([os.path.abspath(file) for file in files])]  # noqa: PTH100 - as text


def _hashes(files: Sequence[str]) -> dict[str, str | None]:
    """Each file's hash; of many files, one hash over those of all."""
    if len(files) <= MOST_FILES:
        return {file: hash_file(Path(file)) for file in files}
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file} {hash_file(Path(file))}\n".encode())
    return {f"{short_list(files)[0]} ({len(files):,} files)": digest.hexdigest()}


def hash_file(path: Path) -> str | None:
    """The SHA-256 of a file; None where there is none."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
