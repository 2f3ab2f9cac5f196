"""Distillation: a better or larger model teaches, by its vectors or by its scores."""

from dataclasses import replace
from typing import Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from likewise.data.checks.suspicious import refuse_equal_triplets
from likewise.data.dataset import Dataset, Note
from likewise.data.derive import with_easy_negatives
from likewise.errors import InputError
from likewise.losses import LOSSES
from likewise.methods.any_loss import build_head
from likewise.methods.conversions import as_kind, tell_new
from likewise.methods.refusals import refuse_unfit
from likewise.methods.teachers import CosineScorer, load_teacher, load_vectors_of, refuse_classes
from likewise.models.cross_encoder import CrossEncoder
from likewise.models.scores_file import score_pairs
from likewise.training.fit import Fit
from likewise.training.objective import objective_of
from likewise.training.wrappers import refuse_wrapping

LossName: TypeAlias = Literal["auto", "mse", "margin-mse", "kl"]
BLOCK = 1024  # rows whose texts a bi-encoder embeds at a time


def train_distillation(
    fit: Fit[Any], data: Dataset, *, teacher: str = "", loss: LossName = "auto"
) -> None:
    """Train a student on what a teacher says (Hinton et al. 2015).

    Pairs are scored by the teacher, answer and negatives (random ones where there are none), and
    the student learns the margins (Hofstätter et al. 2020) or the whole distribution. From texts
    it learns the teacher's vectors (Reimers and Gurevych 2020, equation 1).

    Args:
        fit: the student, and how to train it.
        data: pairs; pairs with teacher scores, which need no teacher; or any texts.
        teacher: a bi-encoder or a cross-encoder: a folder, minilm, hub:ORG/NAME.
        loss: "mse" of vectors; "margin-mse" or "kl" of scores; "auto" takes margin-mse for pairs
            and mse for all else.

    Raises:
        InputError: no teacher, or one that cannot teach this way.
    """
    scored = data.kind == "distilled"
    name = loss
    if loss == "auto":
        name = "margin-mse" if data.kind in {"distilled", "pairs"} else "mse"
    if not teacher and not scored:
        problem = f"{data.kind} data has no teacher scores, and no teacher is named"
        raise InputError(problem, mend="name one: --set teacher=MODEL")
    spec = LOSSES[name]
    if name == "mse":
        rows = as_kind(fit, data, spec.kinds)
        guide = load_vectors_of(fit, teacher, rows, method="distillation", option="teacher")
        fit(rows, objective_of(spec, head=build_head(fit, rows, spec), guide=guide))
        return
    refuse_wrapping(fit.options, fit.encoder)
    rows = data if scored else _scored(fit, data, teacher)
    fit(refuse_unfit(fit, rows, spec, method="distillation"), objective_of(spec))


def _scored(fit: Fit[Any], data: Dataset, name: str) -> Dataset:
    """Pairs with the teacher's score of each answer and each negative."""
    teacher = load_teacher(name)
    refuse_classes(teacher, name)
    pairs = as_kind(fit, data, ("pairs",))
    refuse_equal_triplets(pairs)
    if "negative" not in pairs.roles:
        pairs = tell_new(fit, pairs, with_easy_negatives(pairs, seed=fit.options.seed))
    rows, lists = _candidates(fit, pairs)
    anchors = pairs.texts("anchor")
    asked = [(anchors[row], text) for row, texts in zip(rows, lists, strict=True) for text in texts]
    fit.note(f"the teacher scores {len(asked):,} pairs")
    fit.begin()
    precision = fit.options.precision
    if isinstance(teacher, CrossEncoder):
        file, shown = fit.folder / "teacher.npy", fit.progress_shown
        scores = score_pairs(teacher, asked, file, progress=shown, precision=precision)
    else:
        scorer = CosineScorer(teacher)  # a block of vectors at a time, whatever the data's size
        blocks = (asked[start : start + BLOCK] for start in range(0, len(asked), BLOCK))
        scores = np.concatenate([scorer.predict(block, precision=precision) for block in blocks])
    table = {
        "anchor": pairs.table.column("anchor").take(pa.array(rows)),
        "positive": pa.array([texts[0] for texts in lists], pa.large_string()),
        "negative": pa.array([texts[1:] for texts in lists], pa.large_list(pa.large_string())),
        "scores": pa.array(scores.astype(np.float64).reshape(len(rows), -1).tolist()),
    }
    note = Note(text="rows got teacher scores", count=len(rows))
    return replace(
        pairs.take(rows), kind="distilled", table=pa.table(table), notes=(*pairs.notes, note)
    )


def _candidates(fit: Fit[Any], pairs: Dataset) -> tuple[NDArray[np.int64], list[list[str]]]:
    """Rows with one answer and as many negatives as most rows have; the others are counted."""
    if "negative" not in pairs.roles or not any(pairs.text_lists("negative")):
        problem = "no row has a negative, nor may another row's answer be one"
        raise InputError(problem, mend="fill in the column negative, or give pairs that differ")
    answers, negatives = pairs.text_lists("positive"), pairs.text_lists("negative")
    counts = np.array([len(texts) for texts in negatives])
    wanted = int(np.bincount(counts[counts > 0]).argmax())
    rows = np.flatnonzero(counts >= wanted)
    if len(rows) < len(pairs):
        fit.note(
            f"rows with fewer than {wanted} negatives are left out: {len(pairs) - len(rows):,}"
        )
    chosen = [[answers[i][0], *negatives[i][:wanted]] for i in rows]
    left = sum(len(answers[i]) + len(negatives[i]) for i in rows) - sum(map(len, chosen))
    if left:
        fit.note(f"further answers and negatives of a row are left out: {left:,}")
    return rows, chosen
