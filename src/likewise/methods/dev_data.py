"""The data that a run is measured on: given, or held out; never seen in training."""

from dataclasses import dataclass

import numpy as np

from likewise.data.dataset import Dataset, RetrievalSet
from likewise.data.derive import nli_to_pairs
from likewise.data.leakage import leaked_rows
from likewise.data.splits import split
from likewise.errors import InputError

SHARE_HELD_OUT = 0.1
MOST_HELD_OUT = 1000
FEWEST_ROWS = 200  # below this, a held-out tenth shows nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainAndDev:
    """Rows to train on, data to measure on (None where there is none), and what was decided."""

    train: Dataset
    dev: Dataset | RetrievalSet | None
    notes: tuple[str, ...] = ()


def prepare_dev(
    train: Dataset, dev: Dataset | RetrievalSet | None, *, allow_leak: bool, seed: int
) -> TrainAndDev:
    """Check the dev data against the training data, or hold a part of it out.

    Args:
        train: what the run was given.
        dev: what it is to be measured on; None holds out a tenth, 1,000 rows at the most.
        allow_leak: measure although dev rows stand in the training data.
        seed: of the rows held out.

    Raises:
        InputError: dev rows stand in the training data as well.
    """
    if dev is None:
        return _held_out(train, seed)
    leaked = leaked_rows(train, dev)
    notes: list[str] = []
    if len(leaked):
        said = f"{len(leaked):,} of {len(dev):,} dev rows stand in the training data as well"
        if not allow_leak:
            where = dev.where(int(leaked[0])) if isinstance(dev, Dataset) else None
            mend = "take them out of one of the two, or add --allow-leak to measure all the same"
            raise InputError(f"{said}; this is the first", where=where, mend=mend)
        notes.append(f"{said}: scores on it are too high (--allow-leak)")
    return TrainAndDev(train=train, dev=_measurable(dev, seed), notes=tuple(notes))


def _held_out(train: Dataset, seed: int) -> TrainAndDev:
    if len(train) < FEWEST_ROWS:
        note = (
            f"no dev data, and {len(train)} rows are too few to hold some out: "
            "this run cannot say whether the model became better"
        )
        return TrainAndDev(train=train, dev=None, notes=(note,))
    share = min(SHARE_HELD_OUT, MOST_HELD_OUT / len(train))
    try:
        rest, held = split(train, fraction=share, seed=seed)
    except InputError as error:
        note = f"no dev data, and none could be held out: {error.problem}"
        return TrainAndDev(train=train, dev=None, notes=(note,))
    note = f"no dev data given: {len(held):,} rows that share no text with the rest are held out"
    return TrainAndDev(train=rest, dev=_measurable(held, seed), notes=(note,))


def _measurable(dev: Dataset | RetrievalSet, seed: int) -> Dataset | RetrievalSet:
    """NLI rows are measured as retrieval of the entailed hypothesis; others as they are."""
    if isinstance(dev, Dataset) and dev.kind == "nli":
        pairs = nli_to_pairs(dev, seed=seed)
        return pairs.only("anchor", "positive")
    return dev


def dev_tokens(dev: Dataset | RetrievalSet | None, tokens_a_text: float) -> int:
    """About how many tokens one measurement embeds."""
    return 0 if dev is None else int(np.ceil(len(dev.all_texts()) * tokens_a_text))
