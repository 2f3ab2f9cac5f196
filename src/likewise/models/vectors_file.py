"""Texts to vectors on disk: in order, in bounded memory, and going on after an interruption."""

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
from likewise.models.draft_file import (
    CHUNK,
    Draft,
    Job,
    beside,
    discard_mark,
    fingerprint,
    refuse_output,
    write_draft,
)
from likewise.models.encoder import Encoder


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedFile:
    """What was written.

    Attributes:
        path: the file.
        rows: texts.
        dimensions: of a vector.
        cut: texts that were over the length limit and lost their end.
        resumed: texts that an earlier, interrupted run had done.
        seconds: of this run.
    """

    path: str
    rows: int
    dimensions: int
    cut: int
    resumed: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """As `likewise encode --json` prints it."""
        return {"schema": "likewise.encoded/1", **asdict(self)}


def encode_to_file(
    encoder: Encoder,
    texts: Sequence[str],
    out: Path,
    *,
    overwrite: bool = False,
    progress: bool = False,
    precision: str = "auto",
    **options: Any,
) -> EncodedFile:
    """Encode texts to `.npy` (float32 [n, D]) or Parquet (columns `text` and `vector`).

    A second call with the same model, texts and options goes on where the first was interrupted.

    Args:
        encoder: the model.
        texts: n texts.
        out: the file to write; its ending chooses the format.
        overwrite: replace the file if it is there.
        progress: show a bar.
        precision: as in `Encoder.encode`.
        **options: prompt, normalize, dimensions and deterministic, as in `Encoder.encode`.

    Raises:
        InputError: another ending, no texts, or the file exists.
    """
    refuse_output(out, what="vectors", overwrite=overwrite)
    if not texts:
        raise InputError("there are no texts to encode", mend="give a file with texts")
    began = time.monotonic()
    encoder.arithmetic(precision)
    width = encoder.encode(list(texts[:1]), precision=precision, **options).shape[1]

    def compute(rows: slice) -> tuple[NDArray[np.float32], int]:
        chunk = list(texts[rows])
        vectors = encoder.encode(chunk, precision=precision, **options)
        return vectors, encoder.count_cut(chunk, prompt=options.get("prompt"))

    known = {"precision": precision, "max_tokens": encoder.max_tokens, **options}
    job = Job(
        rows=len(texts),
        width=width,
        fingerprint=fingerprint(encoder.module, texts, known),
        compute=compute,
        label="encoding",
    )
    draft = write_draft(out, job, progress=progress)
    if out.suffix == ".npy":
        draft.path.replace(out)
    else:
        _write_parquet(out, draft, texts)
    discard_mark(out)
    return EncodedFile(
        path=str(out),
        rows=len(texts),
        dimensions=width,
        cut=draft.cut,
        resumed=draft.resumed,
        seconds=time.monotonic() - began,
    )


def _write_parquet(out: Path, draft: Draft, texts: Sequence[str]) -> None:
    written = beside(out, ".new")
    width = draft.values.shape[1]
    schema = pa.schema([("text", pa.large_string()), ("vector", pa.list_(pa.float32(), width))])
    with pq.ParquetWriter(written, schema) as writer:
        for start in range(0, len(texts), CHUNK):
            chunk: NDArray[np.float32] = np.asarray(draft.values[start : start + CHUNK])
            column = pa.FixedSizeListArray.from_arrays(pa.array(chunk.reshape(-1)), width)
            names = pa.array(texts[start : start + CHUNK], type=pa.large_string())
            writer.write_table(pa.table({"text": names, "vector": column}, schema=schema))
    written.replace(out)
    draft.path.unlink()
