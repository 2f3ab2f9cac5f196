"""NLI rows as other kinds of data: pairs with hard negatives, or scored pairs."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from likewise.data.clusters import cluster_ids
from likewise.data.dataset import Dataset, Note
from likewise.data.kinds.values import NLI_LABELS
from likewise.errors import InputError

TARGETS: Mapping[str, float] = MappingProxyType(
    {"entailment": 1.0, "neutral": 0.0, "contradiction": 0.0}
)


def nli_to_pairs(data: Dataset, *, seed: int) -> Dataset:
    """Entailments become pairs; contradictions of the same premise their hard negatives.

    Neutral and contradicting rows never become positives (Reimers and Gurevych's NLI recipe for
    multiple negatives; a loss that reads all rows as positives trains on two wrong pairs of three).

    Args:
        data: of kind "nli".
        seed: which contradiction goes to which entailment, where a premise has several.

    Returns:
        Kind "pairs", one row an entailment; `negative` is null where the premise has no
        contradiction, and absent where no premise has one.

    Raises:
        InputError: there is no entailment.
    """
    labels = data.numbers("label").astype(np.int64)
    entailed, refuted = np.flatnonzero(labels == 0), np.flatnonzero(labels == 2)
    if not len(entailed):
        problem = f"none of {len(data)} rows is an entailment, and only those are positives"
        raise InputError(problem, mend="give NLI data with label 0 (entailment)")
    hypotheses = data.texts("hypothesis")
    dealt = _dealt(data, entailed, refuted, seed)
    columns: dict[str, pa.ChunkedArray | pa.Array] = {
        "anchor": data.table.column("premise").take(pa.array(entailed)),
        "positive": data.table.column("hypothesis").take(pa.array(entailed)),
    }
    used = sum(row is not None for row in dealt)
    if used:
        negatives = [None if row is None else hypotheses[row] for row in dealt]
        columns["negative"] = pa.array(negatives, type=pa.large_string())
    neutral = int((labels == 1).sum())
    notes = (
        Note(text="entailments became pairs", count=len(entailed)),
        Note(text="neutral rows are no positives, and were left out", count=neutral),
        Note(text="pairs got a contradiction of their premise as hard negative", count=used),
        Note(
            text="contradictions without an entailment of the same premise were left out",
            count=len(refuted) - len({row for row in dealt if row is not None}),
        ),
    )
    names = {"anchor": "premise", "positive": "hypothesis", "negative": "hypothesis"}
    return replace(
        data.take(entailed),
        kind="pairs",
        table=pa.table(columns),
        columns={role: data.columns[names[role]] for role in columns},
        notes=(*data.notes, *notes),
    )


def nli_to_scored(data: Dataset, *, targets: Mapping[str, float] = TARGETS) -> Dataset:
    """Labels become scores: the chapter's targets for the cosine loss.

    Args:
        data: of kind "nli".
        targets: a score for each of entailment, neutral and contradiction.

    Returns:
        Kind "scored", row by row; its range is that of the targets.

    Raises:
        ValueError: the targets are not one for each label, or are all equal.
    """
    if set(targets) != set(NLI_LABELS):
        raise ValueError(f"targets must name {', '.join(NLI_LABELS)}, got {', '.join(targets)}")
    low, high = min(targets.values()), max(targets.values())
    if low == high:
        raise ValueError(f"targets must differ, got {low} for all")
    values = np.array([targets[name] for name in NLI_LABELS])
    labels = data.numbers("label").astype(np.int64)
    sources = {"sentence1": "premise", "sentence2": "hypothesis", "score": "label"}
    table = pa.table(
        {
            "sentence1": data.table.column("premise"),
            "sentence2": data.table.column("hypothesis"),
            "score": pa.array(values[labels]),
        }
    )
    said = ", ".join(f"{name} {targets[name]:g}" for name in NLI_LABELS)
    return replace(
        data,
        kind="scored",
        table=table,
        columns={role: data.columns[source] for role, source in sources.items()},
        notes=(*data.notes, Note(text=f"labels became scores: {said}", count=len(data))),
        score_range=(low, high),
    )


def _dealt(
    data: Dataset, entailed: NDArray[np.int64], refuted: NDArray[np.int64], seed: int
) -> list[int | None]:
    """For each entailment, a contradiction of its premise that is not its own hypothesis."""
    premises = cluster_ids(data.texts("premise"))
    hypotheses = cluster_ids(data.texts("hypothesis"))
    shuffled = np.random.default_rng(seed).permutation(refuted)
    hands: defaultdict[int, list[int]] = defaultdict(list)
    for row in shuffled.tolist():
        hands[premises[row]].append(row)
    dealt: list[int | None] = []
    turns: defaultdict[int, int] = defaultdict(int)
    for row in entailed.tolist():
        premise = premises[row]
        hand = [r for r in hands.get(premise, ()) if hypotheses[r] != hypotheses[row]]
        dealt.append(hand[turns[premise] % len(hand)] if hand else None)
        turns[premise] += 1
    return dealt
