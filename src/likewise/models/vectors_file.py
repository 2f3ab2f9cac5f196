"""Texts to vectors on disk: in order, in bounded memory, and going on after an interruption."""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from likewise.errors import InputError, Where
from likewise.models.device import choose_hardware
from likewise.models.encoder import Encoder
from likewise.progress import progress as show_progress

CHUNK = 8192  # texts between two marks of how far it has come
FORMATS = (".npy", ".parquet")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    """How far a draft has come, and what it is a draft of."""

    fingerprint: str
    done: int = 0
    cut: int = 0


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

    The draft lies beside the file with the ending `.partial`; a second call with the same model,
    texts and options goes on where the first was interrupted.

    Args:
        encoder: the model.
        texts: n texts.
        out: the file to write; its ending chooses the format.
        overwrite: replace the file if it is there.
        progress: show a bar.
        precision: as in `Encoder.encode`.
        **options: prompt, normalize and dimensions, as in `Encoder.encode`.

    Raises:
        InputError: another ending, no texts, or the file exists.
    """
    _refuse(out, texts, overwrite)
    began = time.monotonic()
    choose_hardware(encoder.device, precision)
    width = encoder.encode(list(texts[:1]), precision=precision, **options).shape[1]
    draft, mark_file = _beside(out, ".partial"), _beside(out, ".partial.json")
    mark = _Mark(fingerprint=_fingerprint(encoder, texts, precision=precision, **options))
    found = _read_mark(mark_file)
    resumed = 0
    if found is not None and found.fingerprint == mark.fingerprint and draft.is_file():
        mark, resumed = found, found.done
    shape = (len(texts), width)
    mode = "r+" if resumed else "w+"
    vectors = np.lib.format.open_memmap(draft, mode=mode, dtype=np.float32, shape=shape)
    with show_progress("encoding", len(texts), shown=progress) as advance:
        advance(mark.done)
        while mark.done < len(texts):
            chunk = list(texts[mark.done : mark.done + CHUNK])
            vectors[mark.done : mark.done + len(chunk)] = encoder.encode(
                chunk, precision=precision, **options
            )
            vectors.flush()
            mark = _Mark(
                fingerprint=mark.fingerprint,
                done=mark.done + len(chunk),
                cut=mark.cut + encoder.count_cut(chunk, prompt=options.get("prompt")),
            )
            _beside(mark_file, ".new").write_text(json.dumps(asdict(mark)), encoding="utf-8")
            _beside(mark_file, ".new").replace(mark_file)
            advance(len(chunk))
    _finish(out, draft, vectors, texts)
    mark_file.unlink(missing_ok=True)
    return EncodedFile(
        path=str(out),
        rows=len(texts),
        dimensions=width,
        cut=mark.cut,
        resumed=resumed,
        seconds=time.monotonic() - began,
    )


def _refuse(out: Path, texts: Sequence[str], overwrite: bool) -> None:
    where = Where(path=str(out))
    if out.suffix not in FORMATS:
        mend = f"name a file that ends in {' or '.join(FORMATS)}"
        raise InputError(f'cannot write vectors to "{out.suffix}"', where=where, mend=mend)
    if out.exists() and not overwrite:
        raise InputError("exists already", where=where, mend="choose another, or add --overwrite")
    if not out.parent.is_dir():
        raise InputError("its folder does not exist", where=where, mend=f"mkdir -p {out.parent}")
    if not texts:
        raise InputError("there are no texts to encode", mend="give a file with texts")


def _finish(
    out: Path, draft: Path, vectors: "np.memmap[Any, np.dtype[np.float32]]", texts: Sequence[str]
) -> None:
    if out.suffix == ".npy":
        draft.replace(out)
        return
    written = _beside(out, ".new")
    width = vectors.shape[1]
    schema = pa.schema([("text", pa.large_string()), ("vector", pa.list_(pa.float32(), width))])
    with pq.ParquetWriter(written, schema) as writer:
        for start in range(0, len(texts), CHUNK):
            chunk: NDArray[np.float32] = np.asarray(vectors[start : start + CHUNK])
            column = pa.FixedSizeListArray.from_arrays(pa.array(chunk.reshape(-1)), width)
            names = pa.array(texts[start : start + CHUNK], type=pa.large_string())
            writer.write_table(pa.table({"text": names, "vector": column}, schema=schema))
    written.replace(out)
    draft.unlink()


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(f".{path.name.lstrip('.')}{ending}")


def _read_mark(path: Path) -> _Mark | None:
    try:
        return _Mark(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _fingerprint(encoder: Encoder, texts: Sequence[str], **options: Any) -> str:
    digest = hashlib.sha256(repr(sorted(options.items())).encode())
    for name, tensor in sorted(encoder.module.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().float().cpu().contiguous().numpy().tobytes())
    digest.update(repr(encoder.max_tokens).encode())
    for text in texts:
        digest.update(len(text).to_bytes(8, "little"))
        digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
