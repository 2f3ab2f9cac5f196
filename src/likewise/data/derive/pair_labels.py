"""Pair labels as other kinds of data: scored pairs, or pairs with hard negatives."""

from dataclasses import replace

import numpy as np
import pyarrow as pa

from likewise.data.clusters import cluster_ids
from likewise.data.dataset import Dataset, Note
from likewise.data.derive.negatives import deal_negatives, with_negatives
from likewise.errors import InputError


def pair_labels_to_scored(data: Dataset) -> Dataset:
    """Labels become scores: 1 for the same, 0 for different.

    Args:
        data: of kind "pair-labels".

    Returns:
        Kind "scored", row by row, from 0 to 1.
    """
    table = pa.table(
        {
            "sentence1": data.table.column("sentence1"),
            "sentence2": data.table.column("sentence2"),
            "score": pa.array(data.numbers("label")),
        }
    )
    columns = {role: data.columns[role] for role in ("sentence1", "sentence2")}
    note = Note(text="labels became scores: same 1, different 0", count=len(data))
    return replace(
        data,
        kind="scored",
        table=table,
        columns={**columns, "score": data.columns["label"]},
        notes=(*data.notes, note),
        score_range=(0.0, 1.0),
    )


def pair_labels_to_pairs(data: Dataset, *, seed: int) -> Dataset:
    """Rows labelled 1 become pairs; rows labelled 0 hard negatives of the same text.

    Args:
        data: of kind "pair-labels".
        seed: which negative goes to which pair, where a text has several.

    Returns:
        Kind "pairs", one row for each label 1: `sentence1` is the anchor, and the negative, if
        there is one, the other text of a row labelled 0 with the same text on either side.

    Raises:
        InputError: no row has the label 1.
    """
    same = data.numbers("label") == 1
    if not same.any():
        problem = f"none of {len(data)} rows has the label 1, and only those are pairs"
        raise InputError(problem, mend="give rows of texts that mean the same, labelled 1")
    first, second = data.texts("sentence1"), data.texts("sentence2")
    ids = cluster_ids(first + second)
    left, right = ids[: len(data)], ids[len(data) :]
    rows, wrong = np.flatnonzero(same), np.flatnonzero(~same)
    hands = (
        np.concatenate([left[wrong], right[wrong]]),
        np.concatenate([right[wrong], left[wrong]]),
    )
    answers = [second[i] for i in wrong.tolist()] + [first[i] for i in wrong.tolist()]
    dealt = deal_negatives((left[rows], right[rows]), hands, seed=seed)
    table = pa.table(
        {
            "anchor": data.table.column("sentence1").take(pa.array(rows)),
            "positive": data.table.column("sentence2").take(pa.array(rows)),
        }
    )
    columns = {"anchor": data.columns["sentence1"], "positive": data.columns["sentence2"]}
    pairs = replace(data.take(rows), kind="pairs", table=table, columns=columns)
    pairs = with_negatives(pairs, [[] if place is None else [answers[place]] for place in dealt])
    used = {place % len(wrong) for place in dealt if place is not None}
    notes = (
        Note(text="rows labelled 1 became pairs", count=len(rows)),
        Note(
            text="pairs have a hard negative: a row of the same text labelled 0",
            count=sum(place is not None for place in dealt),
        ),
        Note(text="other rows labelled 0 were left out", count=len(wrong) - len(used)),
    )
    return replace(pairs, notes=(*data.notes, *notes))
