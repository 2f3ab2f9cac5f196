"""What a method asks the loop to minimise: a pure loss, fed from a batch."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from likewise.losses.spec import LossSpec
from likewise.training.batch import Batch
from likewise.training.embedding_feed import embedding_feed
from likewise.training.feed import FeedOf
from likewise.training.guide import Guide
from likewise.training.trainable import Embeds, Trainable


class LossOfBatch(Protocol):
    """Embeddings and a batch to one scalar."""

    def __call__(self, embeddings: Tensor, batch: Batch) -> Tensor:
        """Take embeddings [S, D] of the batch's texts; give a scalar in float32."""


def _vectors(model: Trainable) -> Embeds:
    """The last layer's vectors, or a cross-encoder's logits."""
    return model.embed


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A loss over a batch's embeddings, with the weights of its own.

    Attributes:
        loss: picks its texts out of the embeddings and calls a pure loss.
        feed: makes rows of the data into batches.
        head: weights of the loss itself, trained and saved with the encoder.
        contrastive: other rows are negatives, so that a step needs two rows at least.
        embed: of a model: what the loss takes of a stream.
        nests: whether the loss still means something of the first dimensions alone, or of an
            earlier layer.
        update: changes the weights by itself, from a batch and the learning rate, and gives the
            loss: for what does not learn by gradients of `loss`; None for all that does.
    """

    loss: LossOfBatch
    feed: FeedOf = field(default_factory=embedding_feed)
    head: nn.Module | None = None
    contrastive: bool = False
    embed: Callable[[Any], Embeds] = _vectors
    nests: bool = True
    update: Callable[[Batch, float], float] | None = None


def objective_of(
    spec: LossSpec,
    *,
    head: nn.Module | None = None,
    guide: Guide | None = None,
    **options: Any,
) -> Objective:
    """Bind a loss to batches: each role's embeddings in order, then targets, mask and head.

    Args:
        spec: an entry of `LOSSES`.
        head: the weights of the loss, where it has any.
        guide: the frozen model, where the loss is guided.
        **options: of the loss function.
    """

    def loss(embeddings: Tensor, batch: Batch) -> Tensor:
        if batch.tells_nothing_apart or (spec.grouped and not _tells_labels_apart(batch)):
            return 0.0 * embeddings.sum()
        arguments: list[Tensor | None] = [
            embeddings[batch.picks[role]] if role in batch.picks else batch.values.get(role)
            for role in spec.roles
        ]
        if spec.layout == "contrast":
            arguments.append(batch.collides)
        if spec.guided:
            arguments += [batch.guides.get(role) for role in spec.text_roles]
        own = {} if head is None else {"head": head}
        return spec.function(*arguments, **own, **options)

    return Objective(
        loss=loss,
        feed=embedding_feed(spec.layout, grouped=spec.grouped, guide=guide),
        head=head,
        contrastive=spec.contrastive,
    )


def _tells_labels_apart(batch: Batch) -> bool:
    """Whether a batch has two rows of one label, and one of another: else it has no triplet."""
    counts = torch.unique(batch.values["label"], return_counts=True)[1]
    return len(counts) > 1 and int(counts.max()) > 1
