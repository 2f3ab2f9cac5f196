"""MethodSpec: a way of making a model, and the data that it takes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

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
        from_nothing: the method makes a model of its own, and hands it over in `fit.encoder`; the
            base model is only measured.
        training: training options whose usual value is another one for this method.
    """

    function: Callable[..., None]
    kinds: tuple[str, ...]
    summary: str
    makes: Makes = "encoder"
    contrastive: bool = False
    from_nothing: bool = False
    training: Mapping[str, Any] = field(default_factory=dict)
