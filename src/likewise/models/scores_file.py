"""Pairs to scores on disk: in order, in bounded memory, and going on after an interruption."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from likewise.errors import InputError
from likewise.models.activations import find_score_activation
from likewise.models.cross_encoder import CrossEncoder, check_pairs
from likewise.models.device import choose_hardware
from likewise.models.draft_file import (
    Draft,
    Job,
    beside,
    discard_mark,
    fingerprint,
    refuse_output,
    write_draft,
)
from likewise.models.kept_file import keep_rows

PARQUET_ROWS = 8192  # written at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredFile:
    """What was written.

    Attributes:
        path: the file.
        rows: pairs.
        classes: numbers a pair.
        cut: pairs that were over the length limit and lost tokens.
        resumed: pairs that an earlier, interrupted run had done.
        seconds: of this run.
    """

    path: str
    rows: int
    classes: int
    cut: int
    resumed: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """As `likewise encode --json` prints it."""
        return {"schema": "likewise.scored/1", **asdict(self)}


def score_to_file(
    cross: CrossEncoder,
    pairs: Sequence[Sequence[str]],
    out: Path,
    *,
    overwrite: bool = False,
    progress: bool = False,
    precision: str = "auto",
    activation: str | None = None,
) -> ScoredFile:
    """Score pairs to `.npy` (float32 [n], or [n, K] with K classes) or Parquet.

    The columns of a Parquet file are `sentence1`, `sentence2` and `score`, or `scores` with K of
    them. A second call with the same model, pairs and options goes on where the first was
    interrupted.

    Args:
        cross: the model.
        pairs: n pairs, each two texts.
        out: the file to write; its ending chooses the format.
        overwrite: replace the file if it is there.
        progress: show a bar.
        precision: as in `CrossEncoder.predict`.
        activation: as in `CrossEncoder.predict`.

    Raises:
        InputError: another ending, no pairs or something that is none, or the file exists.
    """
    refuse_output(out, what="scores", overwrite=overwrite)
    if not pairs:
        raise InputError("there are no pairs to score", mend="give a file with pairs of texts")
    began = time.monotonic()
    asked = check_pairs(pairs)
    job = _job(cross, asked, precision=precision, activation=activation)
    draft = write_draft(out, job, progress=progress)
    if out.suffix == ".npy":
        _write_npy(out, draft)
    else:
        _write_parquet(out, draft, asked)
    discard_mark(out)
    return ScoredFile(
        path=str(out),
        rows=job.rows,
        classes=job.width,
        cut=draft.cut,
        resumed=draft.resumed,
        seconds=time.monotonic() - began,
    )


def score_pairs(
    cross: CrossEncoder,
    pairs: Sequence[Sequence[str]],
    path: Path,
    *,
    progress: bool = False,
    precision: str = "auto",
    activation: str | None = None,
) -> NDArray[np.float32]:
    """Score pairs and keep the scores, so that a run which is resumed need not score again.

    Args:
        cross: the model.
        pairs: n pairs, each two texts.
        path: where the scores are kept, as `.npy`, and in a JSON beside it what they are of; an
            interrupted call goes on from there, a finished one is read. Another model, other
            pairs or options start anew.
        progress: show a bar.
        precision: as in `CrossEncoder.predict`.
        activation: as in `CrossEncoder.predict`.

    Returns:
        [n] float32, or [n, K] of a model with K classes.

    Raises:
        InputError: something is no pair of texts, or there is no such activation.
    """
    asked = check_pairs(pairs)
    if not asked:
        return cross.predict([])
    out = path if path.suffix == ".npy" else path.with_name(f"{path.name}.npy")
    job = _job(cross, asked, precision=precision, activation=activation)
    kept: NDArray[np.float32] = np.array(keep_rows(out, job, progress=progress).values)
    return kept.reshape(-1) if cross.classes == 1 else kept


def _job(
    cross: CrossEncoder, pairs: list[tuple[str, str]], *, precision: str, activation: str | None
) -> Job:
    choose_hardware(cross.device, precision)
    chosen = cross.activation if activation is None else find_score_activation(activation)

    def compute(rows: slice) -> tuple[NDArray[np.float32], int]:
        chunk = pairs[rows]
        scores = cross.predict(chunk, precision=precision, activation=chosen)
        return scores.reshape(len(chunk), -1), cross.count_cut(chunk)

    options = {
        "activation": chosen,
        "max_tokens": cross.max_tokens,
        "precision": precision,
        "prompt": cross.prompt,
    }
    texts = (text for pair in pairs for text in pair)
    return Job(
        rows=len(pairs),
        width=cross.classes,
        fingerprint=fingerprint(cross.module, texts, options),
        compute=compute,
        label="scoring",
    )


def _write_npy(out: Path, draft: Draft) -> None:
    """[n, 1] is written as [n]."""
    scores = np.array(draft.values)
    scores = scores[:, 0] if scores.shape[1] == 1 else scores
    written = beside(out, ".new")
    with written.open("wb") as file:
        np.save(file, scores)
    written.replace(out)
    draft.path.unlink()


def _write_parquet(out: Path, draft: Draft, pairs: list[tuple[str, str]]) -> None:
    written, width = beside(out, ".new"), draft.values.shape[1]
    name = "score" if width == 1 else "scores"
    kind = pa.float32() if width == 1 else pa.list_(pa.float32(), width)
    text = pa.large_string()
    schema = pa.schema([("sentence1", text), ("sentence2", text), (name, kind)])
    with pq.ParquetWriter(written, schema) as writer:
        for start in range(0, len(pairs), PARQUET_ROWS):
            chunk = pairs[start : start + PARQUET_ROWS]
            flat = pa.array(np.asarray(draft.values[start : start + PARQUET_ROWS]).reshape(-1))
            column = flat if width == 1 else pa.FixedSizeListArray.from_arrays(flat, width)
            columns = [
                pa.array([first for first, _ in chunk], type=text),
                pa.array([second for _, second in chunk], type=text),
                column,
            ]
            writer.write_table(pa.table(columns, schema=schema))
    written.replace(out)
    draft.path.unlink()
