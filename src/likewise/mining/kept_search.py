"""Vectors and rankings in files: searched a part at a time, and going on after an interruption."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from torch import nn

from likewise.mining.neighbours import Floats, Groups, Pairs, Ranking, part_of, skipped_pairs
from likewise.mining.vectors import (
    Embed,
    Encodes,
    Role,
    checked_vectors,
    embed_once,
    prompt_of,
    unit,
)
from likewise.models.draft_file import Job, fingerprint
from likewise.models.encoder import Encoder
from likewise.models.kept_file import keep_rows


class Search(Protocol):
    """Documents made ready to be searched: `search_cosine`, an index of FAISS, or `Bm25`."""

    def __call__(
        self,
        queries: Any,
        *,
        depth: int,
        skipped: Pairs | None = None,
        groups: Groups | None = None,
    ) -> Ranking:
        """The best documents of each query, as `search_cosine` gives them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptVectors:
    """Vectors in a file.

    Attributes:
        values: [n, D], mapped from it.
        prints: of all that they depend on.
        cut: texts that were over the model's length limit.
    """

    values: Floats
    prints: str
    cut: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRanking:
    """Rankings in a file.

    Attributes:
        values: [Q, 2 R] float64, mapped from it: positions, then scores.
    """

    values: NDArray[np.float64]

    def part(self, rows: slice | NDArray[np.int64]) -> Ranking:
        """The rankings of some queries."""
        depth = self.values.shape[1] // 2
        some = np.array(self.values[rows])
        return Ranking(positions=some[:, :depth].astype(np.int64), scores=some[:, depth:])


def keep_vectors(
    model: Encodes | Embed,
    texts: Sequence[str],
    path: Path,
    *,
    role: Role,
    dtype: str = "float32",
    precision: str = "auto",
    progress: bool = False,
) -> KeptVectors:
    """Embed texts into a file, or read it where it is of the same weights, prompt and texts.

    Args:
        model: an `Encoder`; of anything else nobody knows whether it has changed, and it is
            always asked anew.
        texts: n of them.
        path: of the `.npy`.
        role: of the texts, for the prompt.
        dtype: on disk: "float32", or "float16", which is half as large, and scaled to length 1.
        precision: as in `Encoder.encode`.
        progress: show a bar.

    Raises:
        LikewiseError: a vector is not finite; in the first texts it is found at once.
    """
    options = {"precision": precision} if isinstance(model, Encodes) else {}

    def embed(texts: Sequence[str], *, role: Role | None = None) -> NDArray[np.float32]:
        return embed_once(model, texts, role=role, **options)

    def compute(rows: slice) -> tuple[NDArray[np.floating[Any]], int]:
        some = texts[rows]
        vectors = checked_vectors(embed, some, role=role)
        cut = 0
        if isinstance(model, Encoder):
            cut = model.count_cut(some, prompt=prompt_of(model, role))
        return (unit(vectors) if dtype == "float16" else vectors), cut

    prints = _prints(model, texts, role=role, dtype=dtype, precision=precision)
    width = checked_vectors(embed, texts[:1], role=role).shape[1]
    job = Job(
        rows=len(texts),
        width=width,
        fingerprint=prints,
        compute=compute,
        label="embedding queries" if role == "query" else "embedding documents",
        dtype=dtype,
    )
    kept = keep_rows(path, job, progress=progress)
    return KeptVectors(values=kept.values, prints=prints, cut=kept.cut)


def keep_ranking(
    build: Callable[[], Search],
    queries: Sequence[str] | Floats,
    path: Path,
    *,
    depth: int,
    prints: Sequence[str],
    skipped: Pairs | None = None,
    groups: Groups | None = None,
    progress: bool = False,
) -> KeptRanking:
    """Search for all queries into a file, or read it where it is of the same question.

    Args:
        build: makes the search; called only where something is still to be searched.
        queries: Q of them, texts or vectors [Q, D].
        path: of the `.npy`.
        depth: R, documents of a query.
        prints: fingerprints of queries, documents and search.
        skipped: as for `search_cosine`.
        groups: likewise.
        progress: show a bar.
    """
    left_out = skipped_pairs(skipped)
    search = cache(build)

    def compute(rows: slice) -> tuple[NDArray[np.floating[Any]], int]:
        inside = None if groups is None else (groups[0][rows], groups[1])
        mine = part_of(left_out, rows)
        found = search()(queries[rows], depth=depth, skipped=mine, groups=inside)
        return np.concatenate([found.positions, found.scores], axis=1), 0

    digest = hashlib.sha256(repr([*prints, depth]).encode())
    for part in (left_out, *(groups or ())):
        digest.update(np.ascontiguousarray(part).tobytes())
    job = Job(
        rows=len(queries),
        width=2 * depth,
        fingerprint=digest.hexdigest(),
        compute=compute,
        label="searching",
        dtype="float64",
    )
    kept = keep_rows(path, job, progress=progress)
    return KeptRanking(values=kept.values.view(np.float64))


def text_prints(*parts: Sequence[str]) -> str:
    """A fingerprint of texts that no model is asked about."""
    return fingerprint(nn.Identity(), (text for part in parts for text in part), {})


def _prints(model: Encodes | Embed, texts: Sequence[str], *, role: Role, **options: str) -> str:
    if not isinstance(model, Encoder):
        return uuid4().hex
    front = model.prompt_text(prompt_of(model, role))
    known = {**options, "prompt": front, "max_tokens": model.max_tokens}
    return fingerprint(model.module, texts, known)
