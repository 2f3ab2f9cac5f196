"""Softmax classification: a head tells entailment, neutral and contradiction apart."""

from dataclasses import replace
from typing import Any

from likewise.data.dataset import Dataset
from likewise.losses import LOSSES
from likewise.methods.any_loss import build_head
from likewise.methods.refusals import refuse_unfit
from likewise.training.fit import Fit
from likewise.training.objective import objective_of


def train_softmax(fit: Fit[Any], data: Dataset, *, product: bool = False) -> None:
    """Train through a classifier of (u, v, |u - v|) (Reimers and Gurevych 2019, section 3).

    The head is trained and saved in checkpoints with the encoder; the finished model leaves it
    behind.

    Args:
        fit: the encoder, and how to train it.
        data: NLI rows, or pairs labelled same and different.
        product: let the head see u * v as well.
    """
    rows = refuse_unfit(fit, data, LOSSES["softmax"], method="softmax")
    head = build_head(fit, rows, LOSSES["softmax"], product=product)
    fit(as_premises(rows), objective_of(LOSSES["softmax"], head=head))


def as_premises(data: Dataset) -> Dataset:
    """Labelled pairs under the roles of NLI, which the loss is bound to."""
    if data.kind == "nli":
        return data
    names = {"sentence1": "premise", "sentence2": "hypothesis", "label": "label"}
    columns = {names[role]: name for role, name in data.columns.items()}
    table = data.table.rename_columns([names[role] for role in data.table.column_names])
    return replace(data, table=table, columns=columns)
