"""A model at another price: other arithmetic, fewer dimensions, one bit a dimension."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likewise.errors import InputError
from likewise.mining.vectors import Encodes

BINARY = "binary"
BITS = {BINARY: 1}  # a dimension of a stored vector; others are float32
FLOAT_BITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """How a model is used, where that is not its usual way.

    Attributes:
        precision: as in `Encoder.encode`; or "binary": of each dimension only whether it is over 0
            (Yamada et al. 2021), so that a cosine is a count of equal bits.
        dimensions: the first so many are kept; None for all.
    """

    precision: str = "auto"
    dimensions: int | None = None

    def named(self, model: str) -> str:
        """What the model is called in tables.

        >>> Variant(precision="binary", dimensions=64).named("minilm")
        'minilm, binary, 64 dimensions'
        """
        parts = [model] if self.precision == "auto" else [model, self.precision]
        return ", ".join(
            parts if self.dimensions is None else [*parts, f"{self.dimensions} dimensions"]
        )

    def vector_bytes(self, width: int) -> float:
        """Of one stored vector.

        Args:
            width: of it.

        >>> Variant(precision="binary").vector_bytes(384), Variant().vector_bytes(384)
        (48.0, 1536.0)
        """
        return width * BITS.get(self.precision, FLOAT_BITS) / 8


class VariedModel:
    """A model that is always asked in one way."""

    def __init__(self, model: Encodes, variant: Variant) -> None:
        """Wrap a model.

        Args:
            model: an `Encoder`, or what is asked as one.
            variant: how it is to be asked.

        Raises:
            InputError: more dimensions than the model has.
        """
        width = int(getattr(model, "dimensions", variant.dimensions or 0))
        if variant.dimensions is not None and variant.dimensions > width:
            problem = f"{variant.dimensions} dimensions are asked for, and the model has {width}"
            raise InputError(problem, mend=f"give {width} or fewer (--dimensions)")
        self._model = model
        self._variant = variant
        self.prompts = model.prompts
        for known in ("module", "tokenize"):  # by which the price of an encoder is told
            if hasattr(model, known):
                setattr(self, known, getattr(model, known))

    def encode(
        self, texts: Sequence[str], *, prompt: str | None = None, progress: bool = False
    ) -> NDArray[np.float32]:
        """[n, D] float32; of a binary variant 1 and -1."""
        is_binary = self._variant.precision == BINARY
        options: dict[str, Any] = {
            "precision": "auto" if is_binary else self._variant.precision,
            "prompt": prompt,
            "progress": progress,
        }
        if self._variant.dimensions is not None:
            options["dimensions"] = self._variant.dimensions
        found = np.asarray(self._model.encode(list(texts), **options), dtype=np.float32)
        return np.where(found > 0, 1.0, -1.0).astype(np.float32) if is_binary else found


def variants_of(precisions: Sequence[str], dimensions: Sequence[int]) -> list[Variant]:
    """Every precision with every number of dimensions.

    Args:
        precisions: names; none for the usual one.
        dimensions: numbers; none for all dimensions of a model.

    >>> [variant.named("m") for variant in variants_of(["float32", "binary"], [])]
    ['m, float32', 'm, binary']
    """
    widths: list[int | None] = [*dimensions] or [None]
    names = [*precisions] or ["auto"]
    return [Variant(precision=name, dimensions=width) for width in widths for name in names]
