"""CrossLossSpec: a loss of a cross-encoder, how rows become its arguments, and when to use it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from torch import Tensor

Form: TypeAlias = Literal["pairs", "lists"]
Classes: TypeAlias = Literal["one", "labels"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossLossSpec:
    """One entry of `CROSS_LOSSES`.

    The function's arguments stand in this order: the logits; the targets of "pairs", or the grades
    of "lists" that are `graded`; the mask of "lists", True where there is a text. What follows is
    keyword-only: the options.

    Attributes:
        function: logits and targets in, a scalar out.
        form: how rows become arguments.
            "pairs": one pair a row: logits [B] or [B, K], targets [B].
            "lists": one query a row with its candidates, the positive in column 0: logits [Q, C].
        graded: lists come with grades [Q, C]; in pairs data 1 for a positive, 0 for a negative.
        kinds: of the data it takes, the one it suits best first.
        classes: how many logits the cross-encoder answers: "one", or as many as there are "labels".
        paper: where it comes from: authors and year.
        use: one line on when to use it.
    """

    function: Callable[..., Tensor]
    form: Form
    kinds: tuple[str, ...]
    graded: bool = False
    classes: Classes = "one"
    paper: str = ""
    use: str = ""

    def __post_init__(self) -> None:
        if self.form == "pairs" and self.graded:
            raise ValueError("only lists are graded; a pair has its target")
        if self.form == "lists" and self.classes == "labels":
            raise ValueError("a list is ranked by one logit a candidate, not by one a label")
