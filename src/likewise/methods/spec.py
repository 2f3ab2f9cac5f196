"""MethodSpec: a way of making an embedding model, and the data that it takes."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSpec:
    """One entry of `METHODS`.

    Attributes:
        function: `train_x(fit, data, *, options)`; options are keyword-only.
        kinds: kinds of data that it takes, the one it suits best first.
        summary: one line on when to use it.
    """

    function: Callable[..., None]
    kinds: tuple[str, ...]
    summary: str
