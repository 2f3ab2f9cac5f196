"""One step's rows as one packed stream, with what the loss needs to find its texts in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from likewise.losses.spec import Layout
from likewise.text.packed import Packed, pack
from likewise.text.transfer import send
from likewise.training.collisions import find_collisions
from likewise.training.examples import Examples

Indices: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """B rows over S distinct texts, each embedded once.

    Attributes:
        packed: the S texts, shortest first.
        rows: [B] indices into the data.
        texts: [S] which of the data's distinct texts each is.
        picks: role to which of the S embeddings it takes: [m], or [m, C] for candidates. With one
            text a role m = B; contrasts and triplets are unrolled: a row with two positives is two
            pairs, and the negatives of all rows stand one after the other.
        values: "score", "scores" or "label" to [B] or [B, C].
        collides: [pairs, pairs + negatives] True where a candidate answers the anchor too, or is
            the anchor itself; None for losses that do not contrast.
        masked: how many candidates that takes away.
        guides: role to the vectors of a second, frozen model, in the shape of `picks` and its
            own width; empty without one.
        step: of the run, from 0.
        targets: the texts that the loss rebuilds from the vectors; None where it rebuilds none.
    """

    packed: Packed
    rows: Indices
    texts: Indices
    picks: dict[str, Tensor]
    values: dict[str, Tensor]
    collides: Tensor | None = None
    masked: int = 0
    guides: Mapping[str, Tensor] = field(default_factory=lambda: MappingProxyType({}))
    step: int = 0
    targets: Packed | None = None

    @property
    def tells_nothing_apart(self) -> bool:
        """Whether every candidate is masked but the answers themselves: a step without a lesson."""
        return self.collides is not None and self.masked == self.collides.numel() - len(
            self.collides
        )


def collate(
    examples: Examples,
    rows: Indices,
    *,
    layout: Layout,
    device: torch.device,
    step: int = 0,
) -> Batch:
    """Gather rows into a batch.

    Args:
        examples: the data.
        rows: [B] row indices.
        layout: how rows become arguments of the loss; a contrast also finds what collides.
        device: where the embeddings will be.
        step: of the run, from 0.
    """
    owners, entries = _ENTRIES[layout](examples, rows)
    used = np.unique(np.concatenate([chosen.reshape(-1) for chosen in entries.values()]))
    lengths = np.fromiter((len(examples.ids[i]) for i in used), np.int64, count=len(used))
    used = used[np.argsort(lengths, kind="stable")]
    place = np.empty(int(used.max()) + 1, dtype=np.int64)
    place[used] = np.arange(len(used))
    picks = {
        role: send(torch.from_numpy(place[chosen]), device) for role, chosen in entries.items()
    }
    values = {
        name: send(torch.from_numpy(np.ascontiguousarray(column[rows])), device)
        for name, column in examples.values.items()
    }
    collides = find_collisions(examples, entries, owners) if layout == "contrast" else None
    return Batch(
        packed=_pack(examples, used).to(device),
        rows=rows,
        texts=used,
        picks=picks,
        values=values,
        collides=None if collides is None else send(torch.from_numpy(collides), device),
        masked=0 if collides is None else int(collides.sum()),
        step=step,
    )


def _pack(examples: Examples, used: Indices) -> Packed:
    packed = pack([examples.ids[i] for i in used])
    prompts = torch.from_numpy(examples.prompt_tokens[used])
    if not prompts.any():
        return packed
    pooled = packed.positions() >= prompts.repeat_interleave(packed.lengths)
    return Packed(ids=packed.ids, starts=packed.starts, pooled=pooled)


# role to the row that each of its entries belongs to, and role to entries
Gathered: TypeAlias = tuple[dict[str, Indices], dict[str, Indices]]


def _gather_rows(examples: Examples, rows: Indices) -> Gathered:
    """One text a role and row."""
    entries = {role: column[rows, 0] for role, column in examples.columns.items()}
    return dict.fromkeys(entries, rows), entries


def _gather_contrast(examples: Examples, rows: Indices) -> Gathered:
    """Anchor and positive of every pair, and all negatives of the rows."""
    positives = examples.columns["positive"][rows]
    i, column = np.nonzero(positives >= 0)
    owners = {"anchor": rows[i], "positive": rows[i]}
    entries = {"anchor": examples.columns["anchor"][rows[i], 0], "positive": positives[i, column]}
    if "negative" in examples.columns:
        negatives = examples.columns["negative"][rows]
        i, column = np.nonzero(negatives >= 0)
        if len(i):
            owners["negative"] = rows[i]
            entries["negative"] = negatives[i, column]
    return owners, entries


def _gather_triplets(examples: Examples, rows: Indices) -> Gathered:
    """Each positive of a row with each of its negatives."""
    positives, negatives = (examples.columns[role][rows] for role in ("positive", "negative"))
    both = (positives >= 0)[:, :, None] & (negatives >= 0)[:, None, :]  # [B, P, N]
    i, p, n = np.nonzero(both)
    entries = {
        "anchor": examples.columns["anchor"][rows[i], 0],
        "positive": positives[i, p],
        "negative": negatives[i, n],
    }
    return dict.fromkeys(entries, rows[i]), entries


def _gather_candidates(examples: Examples, rows: Indices) -> Gathered:
    """Anchors [B] and their candidates [B, C], the positive first."""
    sides = [examples.columns[role][rows] for role in ("positive", "negative")]
    entries = {
        "anchor": examples.columns["anchor"][rows, 0],
        "candidates": np.concatenate([sides[0][:, :1], sides[1]], axis=1),
    }
    return dict.fromkeys(entries, rows), entries


_ENTRIES: Final[Mapping[Layout, Callable[[Examples, Indices], Gathered]]] = MappingProxyType(
    {
        "rows": _gather_rows,
        "contrast": _gather_contrast,
        "triplets": _gather_triplets,
        "candidates": _gather_candidates,
    }
)
