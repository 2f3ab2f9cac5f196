"""Contrastive Tension: two encoders learn to agree on each text, and to disagree on any two."""

import math
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field
from torch import Tensor

from likewise.data.dataset import Dataset
from likewise.errors import InputError
from likewise.losses.contrastive_tension import contrastive_tension, contrastive_tension_in_batch
from likewise.methods.plain_texts import distinct_texts
from likewise.registry import Positive
from likewise.training.batch import Batch
from likewise.training.fit import Fit
from likewise.training.objective import Objective
from likewise.training.two_towers import SecondEncoder, both_feed, embed_towers, tension_feed

Variant: TypeAlias = Literal["in-batch", "classic"]


def train_contrastive_tension(
    fit: Fit[Any],
    data: Dataset,
    *,
    variant: Variant = "in-batch",
    negatives: Annotated[int, Field(ge=1)] = 7,
    scale: Positive = 20.0,
) -> None:
    """Train on plain texts with a second encoder (Carlsson et al. 2021).

    Two encoders begin with equal weights. Their vectors of one text are to have a high product,
    those of two texts a low one. The encoder that is kept is the one given; the paper keeps either
    and found them alike. The second one is a copy, trained beside it and then dropped: weights,
    gradients and optimiser take twice the memory of other methods.

    The paper trains by RMSProp at 1e-5, which it lowers in steps to 2e-6; here it is AdamW as for
    every method, and a rate well below the usual one suits it: --learning-rate 1e-5.

    Args:
        fit: the encoder, and how to train it.
        data: any texts; every text column is taken, each distinct text once.
        variant: "classic" is the paper's: one pair of a text with itself for every `negatives`
            pairs of two, and the cross-entropy of their dot products. "in-batch": each text is
            found among those of the batch, both ways, with a scale that is learnt; of the two it
            gets more out of a batch (sentence-transformers finds STS-B 78.5 against 75.7).
        negatives: K of "classic"; the batch size, which counts pairs, is a multiple of K + 1.
        scale: where the learnt scale of "in-batch" begins.

    Raises:
        InputError: one distinct text, or fewer than K + 1; a batch size that is no multiple of
            K + 1; numbers out of range; --adaptive-layers, as there are two encoders.
    """
    _refuse_layers(fit)
    texts = distinct_texts(fit, data)
    if variant == "in-batch":
        second = SecondEncoder(fit.encoder, log_scale=math.log(scale))
        return fit(texts, _in_batch(second))
    _refuse_batches(fit.options.batch_size, len(texts), negatives)
    if any(module.kind == "Normalize" for module in fit.encoder.contents.tail):
        fit.note(
            "the vectors of this model have length 1, and so no dot product exceeds 1: the classic "
            "loss has little room; variant=in-batch does not depend on lengths"
        )
    return fit(texts, _classic(SecondEncoder(fit.encoder), negatives))


def _classic(second: SecondEncoder, negatives: int) -> Objective:
    def loss(embeddings: Tensor, batch: Batch) -> Tensor:
        first, second = (embeddings[batch.picks[role]] for role in ("first", "second"))
        return contrastive_tension(first, second, batch.values["label"])

    return Objective(
        loss=loss, feed=tension_feed(negatives), head=second, embed=embed_towers(second)
    )


def _in_batch(second: SecondEncoder) -> Objective:
    def loss(embeddings: Tensor, batch: Batch) -> Tensor:
        if batch.tells_nothing_apart:
            return 0.0 * embeddings.sum()
        first, other = (embeddings[batch.picks[role]] for role in ("first", "second"))
        return contrastive_tension_in_batch(first, other, second.log_scale, batch.collides)

    return Objective(
        loss=loss,
        feed=both_feed(),
        head=second,
        contrastive=True,
        embed=embed_towers(second),
    )


def _refuse_layers(fit: Fit[Any]) -> None:
    if fit.options.adaptive_layers:
        problem = "adaptive_layers does not go with this method, which trains two encoders"
        raise InputError(problem, mend="leave out --adaptive-layers")


def _refuse_batches(batch_size: int, texts: int, negatives: int) -> None:
    """Each K + 1 pairs stand in one batch, as one of them is the pair of a text with itself."""
    group = negatives + 1
    if batch_size % group:
        lower = batch_size - batch_size % group
        near = f"{lower} or {lower + group}" if lower else str(group)
        problem = (
            f"the batch size must be a multiple of {group}, one pair of a text with itself and "
            f"{negatives} of two texts; found {batch_size}"
        )
        raise InputError(problem, mend=f"use --batch-size {near}, or change negatives")
    if texts < group:
        problem = f"{negatives} negatives need {group} distinct texts or more, found {texts}"
        raise InputError(problem, mend="give more texts, or fewer negatives")
