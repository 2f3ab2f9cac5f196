"""One step's rows as one packed stream, with what the loss needs to find its texts in it."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from likewise.text.packed import Packed, pack
from likewise.training.examples import Examples


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """B rows over S distinct texts, each embedded once.

    Attributes:
        packed: the S texts, shortest first.
        rows: [B] indices into the data.
        picks: role to [m] which of the S embeddings it takes. Scored and labelled roles have
            m = B; contrastive ones are unrolled: a row with two positives is two pairs, and the
            negatives of all rows stand one after the other.
        values: "score" or "label" to [B].
        collides: [pairs, pairs + negatives] True where a candidate repeats a positive of the
            anchor, or the anchor itself; None for losses that do not contrast.
        masked: how many candidates that takes away.
    """

    packed: Packed
    rows: NDArray[np.int64]
    picks: dict[str, Tensor]
    values: dict[str, Tensor]
    collides: Tensor | None = None
    masked: int = 0

    @property
    def tells_nothing_apart(self) -> bool:
        """Whether every candidate is masked but the answers themselves: a step without a lesson."""
        return self.collides is not None and self.masked == self.collides.numel() - len(
            self.collides
        )


def collate(
    examples: Examples, rows: NDArray[np.int64], *, contrastive: bool, device: torch.device
) -> Batch:
    """Gather rows into a batch.

    Args:
        examples: the data.
        rows: [B] row indices.
        contrastive: unroll positives and negatives, and find the candidates that collide.
        device: where the embeddings will be.
    """
    entries = (
        _unrolled(examples, rows)
        if contrastive
        else {role: column[rows, 0] for role, column in examples.columns.items()}
    )
    used = np.unique(np.concatenate(list(entries.values())))
    lengths = np.fromiter((len(examples.ids[i]) for i in used), np.int64, count=len(used))
    used = used[np.argsort(lengths, kind="stable")]
    place = np.empty(int(used.max()) + 1, dtype=np.int64)
    place[used] = np.arange(len(used))
    picks = {role: torch.from_numpy(place[chosen]).to(device) for role, chosen in entries.items()}
    values = {
        name: torch.from_numpy(np.ascontiguousarray(column[rows])).to(device)
        for name, column in examples.values.items()
    }
    collides = _collisions(examples, entries) if contrastive else None
    return Batch(
        packed=_pack(examples, used).to(device),
        rows=rows,
        picks=picks,
        values=values,
        collides=None if collides is None else torch.from_numpy(collides).to(device),
        masked=0 if collides is None else int(collides.sum()),
    )


def _pack(examples: Examples, used: NDArray[np.int64]) -> Packed:
    packed = pack([examples.ids[i] for i in used])
    prompts = torch.from_numpy(examples.prompt_tokens[used])
    if not prompts.any():
        return packed
    pooled = packed.positions() >= prompts.repeat_interleave(packed.lengths)
    return Packed(ids=packed.ids, starts=packed.starts, pooled=pooled)


def _unrolled(examples: Examples, rows: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """Anchor and positive of every pair, and all negatives of the rows."""
    positives = examples.columns["positive"][rows]
    owner, column = np.nonzero(positives >= 0)
    entries = {
        "anchor": examples.columns["anchor"][rows[owner], 0],
        "positive": positives[owner, column],
    }
    negatives = [
        examples.columns[role][rows]
        for role in examples.columns
        if role not in {"anchor", "positive"}
    ]
    if negatives:
        flat = np.concatenate(negatives, axis=1).reshape(-1)
        if (flat >= 0).any():
            entries["negative"] = flat[flat >= 0]
    return entries


def _collisions(examples: Examples, entries: dict[str, NDArray[np.int64]]) -> NDArray[np.bool_]:
    """Candidates that are, or nearly are, a positive of the anchor or the anchor itself."""
    anchor = examples.cluster[entries["anchor"]]
    positive = examples.cluster[entries["positive"]]
    candidates = positive
    if "negative" in entries:
        candidates = np.concatenate([positive, examples.cluster[entries["negative"]]])
    same_anchor = anchor[:, None] == anchor[None, :]
    # [pairs, pairs]: pairs of the same anchor; their positives are each other's siblings
    collides: NDArray[np.bool_] = candidates[None, :] == anchor[:, None]
    for i in np.flatnonzero(same_anchor.sum(axis=1) > 1):
        collides[i] |= np.isin(candidates, positive[same_anchor[i]])
    collides |= candidates[None, :] == positive[:, None]
    np.fill_diagonal(collides, False)
    return collides
