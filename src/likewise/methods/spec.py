"""MethodSpec: a way of making a model, and the data that it takes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

Makes: TypeAlias = Literal["encoder", "cross-encoder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSpec:
    """One entry of `METHODS`.

    Attributes:
        function: `train_x(fit, data, *, options)`; options are keyword-only.
        kinds: kinds of data that it takes, the one it suits best first.
        summary: one line on when to use it.
        makes: what comes of it: a model that embeds texts, or one that scores pairs of them.
        contrastive: other rows are the negatives, so that a batch needs two rows at least.
    """

    function: Callable[..., None]
    kinds: tuple[str, ...]
    summary: str
    makes: Makes = "encoder"
    contrastive: bool = False
