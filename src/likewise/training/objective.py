"""What a method asks the loop to minimise: a pure loss, fed from a batch."""

from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, nn

from likewise.losses.spec import LossSpec
from likewise.training.batch import Batch


class LossOfBatch(Protocol):
    """Embeddings and a batch to one scalar."""

    def __call__(self, embeddings: Tensor, batch: Batch) -> Tensor:
        """Take embeddings [S, D] of the batch's texts; give a scalar in float32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A loss over a batch's embeddings, with the weights of its own.

    Attributes:
        loss: picks its texts out of the embeddings and calls a pure loss.
        contrastive: other rows are negatives, so that a step needs two rows at least.
        head: weights of the loss itself, trained and saved with the encoder.
    """

    loss: LossOfBatch
    contrastive: bool
    head: nn.Module | None = None


def objective_of(spec: LossSpec, *, head: nn.Module | None = None, **options: Any) -> Objective:
    """Bind a loss to batches: each role's embeddings in order, then targets, mask and head.

    Args:
        spec: an entry of `LOSSES`.
        head: the weights of the loss, where it has any.
        **options: of the loss function.
    """

    def loss(embeddings: Tensor, batch: Batch) -> Tensor:
        if batch.tells_nothing_apart:
            return 0.0 * embeddings.sum()
        arguments = [
            embeddings[batch.picks[role]] if role in batch.picks else batch.values.get(role)
            for role in spec.roles
        ]
        extra: dict[str, Any] = {"collides": batch.collides} if spec.contrastive else {}
        if head is not None:
            extra["head"] = head
        return spec.function(*arguments, **extra, **options)

    return Objective(loss=loss, contrastive=spec.contrastive, head=head)
