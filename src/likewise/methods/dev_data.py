"""The data that a run is measured on: given, or held out; never seen in training."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from likewise.data.clusters import text_keys
from likewise.data.dataset import Dataset, RetrievalSet
from likewise.data.derive import nli_to_pairs
from likewise.data.leakage import leaked_rows
from likewise.data.splits import split
from likewise.errors import InputError
from likewise.evaluation.evaluators import evaluate_baseline, evaluator_for
from likewise.methods.spec import Makes

SHARE_HELD_OUT = 0.1
MOST_HELD_OUT = 1000
MOST_LEAKED = 0.1  # a larger share is no accident: the files are not what they are taken for
FEW_DRAWS = 10  # where no interval is looked at
FEWEST_ROWS = 200  # below this, a held-out tenth shows nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainAndDev:
    """Rows to train on, data to measure on (None where there is none), and what was decided."""

    train: Dataset
    dev: Dataset | RetrievalSet | None
    notes: tuple[str, ...] = ()


def prepare_dev(
    train: Dataset,
    dev: Dataset | RetrievalSet | None,
    *,
    allow_leak: bool,
    seed: int,
    makes: Makes = "encoder",
) -> TrainAndDev:
    """Check the dev data against the training data, or hold a part of it out.

    A few dev rows in the training data are taken out of it, and counted; many are an error.

    Args:
        train: what the run was given.
        dev: what it is to be measured on; None holds out a tenth, 1,000 rows at the most.
        allow_leak: measure although dev rows stand in the training data.
        seed: of the rows held out.
        makes: what is trained: a cross-encoder is measured on other kinds of data.

    Raises:
        InputError: more than a tenth of the dev rows stand in the training data as well.
    """
    if dev is None:
        return _held_out(train, seed, makes)
    leaked = leaked_rows(train, dev)
    if not len(leaked):
        return TrainAndDev(train=train, dev=measurable(dev, seed, makes))
    said = f"{len(leaked):,} of {len(dev):,} dev rows stand in the training data as well"
    if allow_leak:
        note = f"{said}: scores on them are too high (--allow-leak)"
        return TrainAndDev(train=train, dev=measurable(dev, seed, makes), notes=(note,))
    if len(leaked) > MOST_LEAKED * len(dev):
        where = dev.where(int(leaked[0])) if isinstance(dev, Dataset) else None
        mend = "take them out of one of the two, or add --allow-leak to measure all the same"
        raise InputError(f"{said}; this is the first", where=where, mend=mend)
    seen = _rows_seen(train, dev, leaked)
    rest = np.setdiff1d(np.arange(len(train)), seen)
    note = f"{said}; the {len(seen):,} training rows they stand in are left out of training"
    return TrainAndDev(train=train.take(rest), dev=measurable(dev, seed, makes), notes=(note,))


def _rows_seen(
    train: Dataset, dev: Dataset | RetrievalSet, leaked: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The training rows that the leaked dev rows stand in."""
    if isinstance(dev, Dataset):
        return leaked_rows(dev, train)
    queries = text_keys([dev.queries[i] for i in leaked])  # leaked whatever answered them there
    found = [keys.rows[np.isin(keys.keys, queries)] for keys in train.keys.values()]
    return np.unique(np.concatenate(found))


def _held_out(train: Dataset, seed: int, makes: Makes) -> TrainAndDev:
    if len(train) < FEWEST_ROWS:
        note = (
            f"no dev data, and {len(train)} rows are too few to hold some out: "
            "this run cannot say whether the model became better"
        )
        return TrainAndDev(train=train, dev=None, notes=(note,))
    share = min(SHARE_HELD_OUT, MOST_HELD_OUT / len(train))
    try:
        if train.kind == "texts":  # nothing to hold out, and perhaps millions of them to copy
            evaluator_for(train, scores_pairs=makes == "cross-encoder")
        rest, held = split(train, fraction=share, seed=seed)
        measured = measurable(held, seed, makes)
        evaluate_baseline(  # refuses what is too poor to measure any model on
            measured,
            evaluator=evaluator_for(measured, scores_pairs=makes == "cross-encoder"),
            resamples=FEW_DRAWS,
        )
    except InputError as error:
        note = f"no dev data, and none could be held out: {error.problem}"
        return TrainAndDev(train=train, dev=None, notes=(note,))
    note = f"no dev data given: {len(held):,} rows that share no text with the rest are held out"
    return TrainAndDev(train=rest, dev=measured, notes=(note,))


def measurable(dev: Dataset | RetrievalSet, seed: int, makes: Makes) -> Dataset | RetrievalSet:
    """As it is measured: an encoder finds the entailed hypothesis of NLI, the answer of triplets.

    Args:
        dev: as it was read.
        seed: of what is drawn.
        makes: what is measured on it.

    Raises:
        InputError: no evaluator takes this kind of data.
    """
    if isinstance(dev, Dataset) and dev.kind == "nli" and makes == "encoder":
        return nli_to_pairs(dev, seed=seed).only("anchor", "positive")
    if isinstance(dev, Dataset) and dev.kind == "distilled":
        return replace(dev.only("anchor", "positive"), kind="pairs")
    evaluator_for(dev, scores_pairs=makes == "cross-encoder")
    return dev


def dev_tokens(dev: Dataset | RetrievalSet | None, tokens_a_text: float) -> int:
    """About how many tokens one measurement embeds."""
    return 0 if dev is None else int(np.ceil(len(dev.all_texts()) * tokens_a_text))
