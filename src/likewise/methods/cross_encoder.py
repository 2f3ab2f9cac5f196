"""A cross-encoder: both texts through one model, which answers with a score or a label."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor

from likewise.data.checks.labels import refuse_one_class
from likewise.data.checks.scores import refuse_equal_scores
from likewise.data.checks.suspicious import refuse_equal_triplets
from likewise.data.dataset import Dataset
from likewise.data.kinds.values import NLI_LABELS, place_nli_labels
from likewise.errors import InputError
from likewise.losses.cross_encoder import CROSS_LOSSES, CrossLossSpec
from likewise.methods.conversions import as_kind
from likewise.models.cross_encoder import CrossEncoder
from likewise.training.batch import Batch
from likewise.training.fit import Fit
from likewise.training.objective import Objective
from likewise.training.pair_batch import pair_feed

LossName: TypeAlias = Literal[
    "auto", "binary-cross-entropy", "cross-entropy", "mse", "mnr", "lambda", "list-net"
]


def train_cross_encoder(
    fit: Fit[CrossEncoder],
    data: Dataset,
    *,
    loss: LossName = "auto",
    negatives: int = 4,
) -> None:
    """Train a model that reads both texts at once (Devlin et al. 2019; Nogueira and Cho 2019).

    Scores and yes-or-no labels are learnt by binary cross-entropy, NLI labels by cross-entropy,
    pairs by ranking each answer above those of other rows and the negatives given.

    Args:
        fit: the cross-encoder, and how to train it.
        data: scored pairs, labelled pairs, NLI rows, pairs, or judged documents.
        loss: a name in `CROSS_LOSSES`; "auto" takes the first that suits the data.
        negatives: of pairs: answers of other rows of the batch that each anchor is shown too.

    Raises:
        InputError: the loss takes other data, the model has another number of outputs or other
            classes, or there is nothing to learn.
    """
    name = choose_loss(loss, data)
    spec = CROSS_LOSSES[name]
    data = as_kind(fit, data, (kind for kind in spec.kinds if kind != "reranking"))
    _refuse(fit.encoder, data, spec, name=name, negatives=negatives)
    order = _class_order(fit.encoder) if spec.classes == "labels" else []
    fit.note(f"the cross-encoder is trained by {name}")
    fit(_from_zero(data), cross_objective(spec, negatives=negatives, order=order))


def choose_loss(loss: str, data: Dataset) -> str:
    """The loss named, or the first of the table that takes this kind of data.

    Raises:
        InputError: there is no such loss, or it takes other data.
    """
    fitting = [name for name, spec in CROSS_LOSSES.items() if data.kind in spec.kinds]
    if loss == "auto" and fitting:
        return fitting[0]
    spec = CROSS_LOSSES.pick(loss, what="loss of a cross-encoder")
    if data.kind not in spec.kinds:
        problem = f"the loss {loss} takes {' or '.join(spec.kinds)} data, found {data.kind}"
        raise InputError(problem, mend=f"one of: {', '.join(fitting)} (--set loss=…)")
    return loss


def labels_of(loss: str, data: Dataset) -> tuple[str, ...]:
    """The names of the labels that a cross-encoder for this data answers; () for one score."""
    spec = CROSS_LOSSES[choose_loss(loss, data)]
    return NLI_LABELS if spec.classes == "labels" else ()


def cross_objective(
    spec: CrossLossSpec, *, negatives: int = 0, order: Sequence[int] = (), **options: Any
) -> Objective:
    """Bind a loss of logits to batches of pairs.

    Args:
        spec: an entry of `CROSS_LOSSES`.
        negatives: of lists: candidates drawn from other rows of the batch.
        order: of labels: the place of each of the data's among the logits; theirs where empty.
        **options: of the loss function.
    """

    def of_pairs(embeddings: Tensor, batch: Batch) -> Tensor:
        targets = batch.values["label" if "label" in batch.values else "score"]
        found = embeddings[batch.picks["pairs"]]  # [B, K] logits
        if spec.classes == "one":
            found, targets = found.squeeze(-1), targets.to(found.dtype)
        elif order:
            targets = torch.tensor(order, device=targets.device)[targets]
        return spec.function(found, targets, **options)

    def of_lists(embeddings: Tensor, batch: Batch) -> Tensor:
        found = embeddings.squeeze(-1)[batch.picks["pairs"]]  # [Q, C] logits
        mask, grades = batch.values["mask"], batch.values["grades"]
        if not bool((mask & (grades == 0)).any()):  # all rows have the same answer: no lesson
            return 0.0 * embeddings.sum()
        if spec.graded:
            return spec.function(found, grades.to(found.dtype), mask, **options)
        first = torch.zeros_like(mask)
        first[:, 0] = True  # other positives of a row are no negatives of the first
        return spec.function(found, mask & (first | (grades == 0)), **options)

    if spec.form == "pairs":
        return Objective(loss=of_pairs, feed=pair_feed("pairs"), nests=False)
    feed = pair_feed("lists", negatives=negatives)
    return Objective(loss=of_lists, feed=feed, contrastive=negatives > 0, nests=False)


def _refuse(
    model: CrossEncoder, data: Dataset, spec: CrossLossSpec, *, name: str, negatives: int
) -> None:
    """What could not be learnt, before the first step."""
    if "label" in data.roles:
        refuse_one_class(data)
    if "negative" in data.roles:
        refuse_equal_triplets(data)
    needed = len(labels_of(name, data)) or 1
    if model.classes != needed:
        problem = f"the cross-encoder answers {model.classes} numbers, the data needs {needed}"
        mend = "start from a bi-encoder with --base, or give data with as many labels"
        raise InputError(problem, mend=mend)
    if "score" in data.roles:
        refuse_equal_scores(data)
    if negatives < 0:
        raise InputError(f"negatives must be 0 or more, found {negatives}", mend="change negatives")
    given = "negative" in data.roles and any(data.text_lists("negative"))
    if spec.form == "lists" and negatives < 1 and not given:
        problem = "without negatives there is nothing to rank"
        raise InputError(problem, mend="use --set negatives=4, or give a column negative")


def _class_order(model: CrossEncoder) -> list[int]:
    """The place of each NLI label among the model's classes.

    Raises:
        InputError: the model has other classes.
    """
    order = place_nli_labels(model.labels)
    if order is None:
        own, ours = ", ".join(model.labels), ", ".join(NLI_LABELS)
        problem = f"the model's classes are {own}, the data's {ours}"
        raise InputError(problem, mend="start from a bi-encoder with --base, which gets a new head")
    return order


def _from_zero(data: Dataset) -> Dataset:
    """Scores below zero brought to 0 … 1 by their range: a sigmoid answers no others."""
    low, high = data.score_range or (0.0, 1.0)
    if "score" not in data.roles or low >= 0:
        return data
    return data.with_scores((data.numbers("score") - low) / (high - low), (0.0, 1.0))
