"""NLI rows as other kinds of data: pairs with hard negatives, or scored pairs."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pyarrow as pa

from likewise.data.clusters import cluster_ids
from likewise.data.dataset import Dataset, Note
from likewise.data.derive.negatives import deal_negatives, with_negatives
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
    premises, clusters = cluster_ids(data.texts("premise")), cluster_ids(hypotheses)
    dealt = deal_negatives(
        (premises[entailed], clusters[entailed]), (premises[refuted], clusters[refuted]), seed=seed
    )
    table = pa.table(
        {
            "anchor": data.table.column("premise").take(pa.array(entailed)),
            "positive": data.table.column("hypothesis").take(pa.array(entailed)),
        }
    )
    columns = {"anchor": data.columns["premise"], "positive": data.columns["hypothesis"]}
    pairs = replace(data.take(entailed), kind="pairs", table=table, columns=columns)
    lists = [[] if place is None else [hypotheses[refuted[place]]] for place in dealt]
    counted = (
        ("entailments became pairs", len(entailed)),
        ("neutral rows are no positives, and were left out", int((labels == 1).sum())),
        (
            "pairs got a contradiction of their premise as hard negative",
            sum(place is not None for place in dealt),
        ),
        (
            "contradictions without an entailment of the same premise were left out",
            len(refuted) - len({place for place in dealt if place is not None}),
        ),
    )
    notes = tuple(Note(text=text, count=count) for text, count in counted)
    return replace(with_negatives(pairs, lists), notes=(*data.notes, *notes))


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
