"""What a method asks the loop to minimise: a pure loss, fed from a batch."""

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from likewise.losses.cross_encoder.spec import Form
from likewise.losses.spec import Layout, LossSpec
from likewise.training.batch import Batch
from likewise.training.guide import Guide


class LossOfBatch(Protocol):
    """Embeddings and a batch to one scalar."""

    def __call__(self, embeddings: Tensor, batch: Batch) -> Tensor:
        """Take embeddings [S, D] of the batch's texts; give a scalar in float32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A loss over a batch's embeddings, with the weights of its own.

    Attributes:
        loss: picks its texts out of the embeddings and calls a pure loss.
        layout: how rows become its arguments.
        grouped: batches need several rows of each label.
        head: weights of the loss itself, trained and saved with the encoder.
        guide: a second, frozen model that embeds the same texts.
        form: of a cross-encoder's rows: a pair each, or a list of candidates.
        negatives: candidates that such a list draws from other rows.
        by_layer: the loss takes the embeddings of every layer, [S, L * D].
    """

    loss: LossOfBatch
    layout: Layout = "rows"
    grouped: bool = False
    head: nn.Module | None = None
    guide: Guide | None = None
    form: Form = "pairs"
    negatives: int = 0
    by_layer: bool = False

    @property
    def contrastive(self) -> bool:
        """Whether other rows are negatives, so that a step needs two rows at least."""
        return self.layout == "contrast" or self.grouped or self.negatives > 0


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

    return Objective(loss=loss, layout=spec.layout, grouped=spec.grouped, head=head, guide=guide)


def _tells_labels_apart(batch: Batch) -> bool:
    """Whether a batch has two rows of one label, and one of another: else it has no triplet."""
    counts = torch.unique(batch.values["label"], return_counts=True)[1]
    return len(counts) > 1 and int(counts.max()) > 1
