"""Labelled texts to learn from and to be measured on: from a file of their own, or in folds."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from likewise.data.checks.labels import refuse_one_class
from likewise.data.clusters import text_keys
from likewise.data.dataset import Dataset, RetrievalSet
from likewise.errors import InputError, Where
from likewise.evaluation.nearest import FEWEST, distinct_texts, draw_rows
from likewise.evaluation.tasks import task_name

FOLDS = 5
LISTED = 5  # labels that a note names

Rows: TypeAlias = list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Positions of the texts that a classifier learns from, and of those it is measured on."""

    learnt: NDArray[np.int64]
    measured: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class ClassSplits:
    """Texts with their classes, in an order that no file decides, and how they are split.

    Attributes:
        texts: [m], each of them learnt from, measured on, or both in turn.
        classes: [m] number of the label of each.
        labels: [K] names of the classes, sorted.
        splits: no text is measured in two of them.
        notes: what was left out, and what cannot be learnt.
        fingerprint: of all the data: only results on the same can be compared.
    """

    texts: list[str]
    classes: NDArray[np.int64]
    labels: tuple[str, ...]
    splits: tuple[Split, ...]
    notes: tuple[str, ...]
    fingerprint: str

    @cached_property
    def measured(self) -> NDArray[np.int64]:
        """[n] positions of all the texts that are measured on, ascending."""
        return np.sort(np.concatenate([split.measured for split in self.splits]))

    @cached_property
    def available(self) -> NDArray[np.int64]:
        """[K] how many texts of each class there are to learn from, in the poorest split."""
        counts = [
            np.bincount(self.classes[s.learnt], minlength=len(self.labels)) for s in self.splits
        ]
        return np.asarray(np.min(counts, axis=0), dtype=np.int64)


def split_classes(data: Dataset, train: Dataset | None = None, *, seed: int = 0) -> ClassSplits:
    """Split labelled texts so that no text is learnt from and measured on at once.

    Repeats (but for case, punctuation and white space) with the same label count once. Of more
    than 5,000 texts to be measured on, 5,000 are drawn.

    Args:
        data: of kind "labelled", to be measured on.
        train: of the same kind, to learn from; texts that stand in both are not measured on. None
            to split `data` itself into five folds with as even a share of each label as there can
            be, always the same ones; each is measured after learning from the other four.
        seed: of the 5,000.

    Raises:
        InputError: `train` is of another kind; one label only, in either; fewer than ten distinct
            texts to be measured on; without `train`, fewer than two labels with two texts.
    """
    refuse_one_class(data)
    if train is None:
        return _in_folds(data, seed)
    _refuse_other_kind(train)
    refuse_one_class(train)
    return _apart(data, train, seed)


def _in_folds(data: Dataset, seed: int) -> ClassSplits:
    rows, notes = distinct_texts(data)
    rows, drawn = draw_rows(rows, seed)
    _refuse_few(rows, data.file)
    labels, classes = _numbered(rows)
    sizes = np.bincount(classes)
    if (sizes > 1).sum() < 2:
        problem = f"{(sizes > 1).sum()} labels have two texts or more, and to learn needs two"
        raise InputError(problem, mend="give more texts of each label", where=data.file)
    drawn += _note_rare(sizes)
    order = np.lexsort((np.random.default_rng(0).permutation(len(rows)), classes))
    fold = np.empty(len(rows), dtype=np.int64)
    fold[order] = np.arange(len(rows)) % FOLDS  # dealt out label by label
    return ClassSplits(
        texts=[text for text, _ in rows],
        classes=classes,
        labels=labels,
        splits=tuple(
            Split(learnt=np.flatnonzero(fold != one), measured=np.flatnonzero(fold == one))
            for one in range(FOLDS)
        ),
        notes=(
            *notes,
            *drawn,
            "learnt from four fifths of the texts, measured on the last, each fifth in turn",
        ),
        fingerprint=data.fingerprint,
    )


def _apart(data: Dataset, train: Dataset, seed: int) -> ClassSplits:
    learnt, repeats = distinct_texts(train)
    rows, notes = distinct_texts(data)
    notes += [f"{task_name(train)}: {note}" for note in repeats]
    seen = np.isin(text_keys(t for t, _ in rows), text_keys(t for t, _ in learnt)).tolist()
    kept = [row for row, is_seen in zip(rows, seen, strict=True) if not is_seen]
    if len(kept) < len(rows):
        notes.append(
            f"{len(rows) - len(kept):,} of {len(rows):,} texts stand in the training data too, and "
            "are not measured on"
        )
    _refuse_few(kept, data.file, lost=len(rows) - len(kept))
    kept, drawn = draw_rows(kept, seed)
    labels, classes = _numbered([*learnt, *kept])
    notes += [*drawn, *_note_unlearnt(kept, {label for _, label in learnt})]
    return ClassSplits(
        texts=[text for text, _ in (*learnt, *kept)],
        classes=classes,
        labels=labels,
        splits=(
            Split(learnt=np.arange(len(learnt)), measured=np.arange(len(learnt), len(classes))),
        ),
        notes=(*notes, f"learnt from {len(learnt):,} texts of {task_name(train)}"),
        fingerprint=hashlib.sha256(f"{train.fingerprint}{data.fingerprint}".encode()).hexdigest(),
    )


def _numbered(rows: Rows) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    labels = tuple(sorted({label for _, label in rows}))
    numbers = {label: i for i, label in enumerate(labels)}
    return labels, np.array([numbers[label] for _, label in rows], dtype=np.int64)


def _note_rare(sizes: NDArray[np.int64]) -> list[str]:
    rare, alone = int((sizes < FOLDS).sum()), int((sizes == 1).sum())
    notes = []
    if rare:
        notes.append(f"{rare:,} labels have fewer than {FOLDS} texts, and are not in every fold")
    if alone:
        notes.append(
            f"{alone:,} texts are alone in their label: it is not learnt, and they count as wrong"
        )
    return notes


def _note_unlearnt(rows: Rows, learnt: set[str]) -> list[str]:
    unlearnt = Counter(label for _, label in rows if label not in learnt)
    if not unlearnt:
        return []
    named = ", ".join(f"{label} ({n:,})" for label, n in unlearnt.most_common(LISTED))
    more = f" and {len(unlearnt) - LISTED:,} more" if len(unlearnt) > LISTED else ""
    return [
        f"{unlearnt.total():,} texts have a label that the training data lacks, and count as "
        f"wrong: {named}{more}"
    ]


def _refuse_other_kind(train: Dataset | RetrievalSet) -> None:
    if train.kind != "labelled":
        problem = f'the training data is of kind "{train.kind}", and classes are learnt from labels'
        mend = 'give data of kind "labelled": a text and a label in each row'
        raise InputError(problem, mend=mend, where=train.file)


def _refuse_few(rows: Rows, where: Where | None, *, lost: int = 0) -> None:
    if len(rows) >= FEWEST and len({label for _, label in rows}) > 1:
        return
    after = f", after {lost:,} that stand in the training data too" if lost else ""
    if len(rows) < FEWEST:
        problem = (
            f"{len(rows)} distinct texts to be measured on{after}: an evaluation needs {FEWEST}"
        )
    else:
        problem = f"all {len(rows)} texts to be measured on have the label {rows[0][1]}{after}"
    mend = "give other texts, of two labels or more" if lost else "give more of them"
    raise InputError(problem, mend=mend, where=where)
