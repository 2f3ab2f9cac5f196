"""LossSpec: a loss, what its arguments are, and what a user needs to know to choose it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from torch import Tensor, nn

TARGETS = frozenset({"score", "label", "scores"})

Layout: TypeAlias = Literal["rows", "contrast", "triplets", "candidates"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LossSpec:
    """One entry of `LOSSES`.

    The function's arguments stand in this order: one for each of `roles`; `collides`, where the
    layout is "contrast"; one for each text role again with the guide's vectors, where `guided`;
    `head`, where there is one. What follows is keyword-only: the options.

    Attributes:
        function: embeddings and targets in, a scalar out.
        roles: of its first arguments, in order. A role whose argument has a default may be absent.
        kinds: of the data it takes, the one it suits best first.
        layout: how rows become arguments.
            "rows": one text a role and row, [B, D] each, and targets [B].
            "contrast": pairs [B, D] and [B, D], several positives of a row unrolled, the negatives
            of all rows [N, D] or None, and `collides` [B, B + N], the candidates that are no
            negatives. The batch has to stay whole, and a batch of one is refused.
            "triplets": each positive of a row with each of its negatives, [B, D] three times.
            "candidates": anchors [B, D], their candidates [B, C, D], the positive first, and the
            teacher's `scores` [B, C].
        grouped: batches need several rows of each label, and of several labels.
        guided: a second, frozen model embeds the same texts.
        head: makes the head that `function` takes as its argument `head`, from the embedding width
            and the number of classes; its options are keyword-only. None where the loss has no
            weights of its own.
        paper: where it comes from: authors and year.
        use: one line on when to use it.
    """

    function: Callable[..., Tensor]
    roles: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    layout: Layout = "rows"
    grouped: bool = False
    guided: bool = False
    head: Callable[..., nn.Module] | None = None
    paper: str = ""
    use: str = ""

    def __post_init__(self) -> None:
        if not self.text_roles:
            raise ValueError(f"a loss takes embeddings; {self.roles} has no text among them")

    @property
    def text_roles(self) -> tuple[str, ...]:
        """The roles whose texts become embeddings, in argument order."""
        return tuple(role for role in self.roles if role not in TARGETS)

    @property
    def contrastive(self) -> bool:
        """Whether other rows serve as negatives, so that one row alone teaches nothing."""
        return self.layout == "contrast" or self.grouped
