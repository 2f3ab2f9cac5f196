"""LossSpec: a loss, and what its arguments are."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

TARGETS = frozenset({"score", "label"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LossSpec:
    """One entry of `LOSSES`.

    Attributes:
        function: embeddings and targets in, a scalar out; options are keyword-only.
        roles: of its first arguments, in order. A role whose argument has a default may be absent.
        head: makes the head that `function` takes as its argument `head`, from the embedding width
            and the number of classes; None where the loss has no weights of its own.
        contrastive: other rows serve as negatives. The batch has to stay whole, a batch of one is
            refused, and `function` takes the argument `collides`.
    """

    function: Callable[..., Tensor]
    roles: tuple[str, ...]
    head: Callable[[int, int], nn.Module] | None = None
    contrastive: bool = False

    def __post_init__(self) -> None:
        if not self.text_roles:
            raise ValueError(f"a loss takes embeddings; {self.roles} has no text among them")

    @property
    def text_roles(self) -> tuple[str, ...]:
        """The roles whose texts become embeddings, in argument order."""
        return tuple(role for role in self.roles if role not in TARGETS)
