"""From texts to checked vectors: whatever embeds is asked once and not trusted blindly."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from likewise.errors import LikewiseError
from likewise.models.prompts import PROMPT_NAMES as PROMPT_NAMES
from likewise.models.prompts import Role as Role


class Embed(Protocol):
    """Texts to vectors: all that mining and evaluation know of a model."""

    def __call__(self, texts: Sequence[str], *, role: Role | None = None) -> NDArray[np.float32]:
        """[n, D] float32; `role` chooses the prompt, where the model has one."""


@runtime_checkable
class Encodes(Protocol):
    """What an `Encoder` and its like have: `encode`, and prompts by name."""

    @property
    def prompts(self) -> dict[str, str]:
        """Prompt texts by name."""

    @property
    def encode(self) -> Callable[..., NDArray[np.float32]]:
        """Texts to [n, D] float32; takes `prompt=` where there are prompts."""


def checked_vectors(
    embed: Embed, texts: Sequence[str], *, role: Role | None = None
) -> NDArray[np.float32]:
    """Embed, and refuse what cannot be compared.

    Args:
        embed: what is evaluated.
        texts: n of them.
        role: of the texts, for the prompt.

    Returns:
        [n, D] float32, as they came: not normalised.

    Raises:
        LikewiseError: not one vector a text, or one that is not finite; names the first text.
    """
    vectors = np.asarray(embed(texts, role=role), dtype=np.float32)
    if vectors.ndim != 2 or len(vectors) != len(texts):
        raise LikewiseError(
            f"expected {len(texts)} vectors for as many texts, found an array of shape "
            f"{vectors.shape}\nTo mend: embed(texts) must answer [n, D], in the order of the texts"
        )
    broken = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(broken):
        shown = texts[int(broken[0])]
        shown = shown if len(shown) <= 60 else f"{shown[:60]}…"
        raise LikewiseError(
            f"{len(broken)} of {len(vectors)} vectors are not finite (NaN or infinite), the first "
            f'of them for "{shown}"\nTo mend: try --precision float32; if it stays, the weights '
            "are damaged"
        )
    return vectors


def unit(vectors: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Rows scaled to length 1, in float64: then a dot product is a cosine. Zero rows stay zero."""
    wide = vectors.astype(np.float64)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True).clip(min=1e-12)
    return wide


def prompt_of(model: Encodes, role: Role | None) -> str | None:
    """The text of the prompt that a model has for a role; None where it has none."""
    names = () if role is None else PROMPT_NAMES[role]
    return next((model.prompts[name] for name in names if name in model.prompts), None)


def embed_once(
    model: "Encodes | Embed", texts: Sequence[str], *, role: Role | None = None, **options: Any
) -> NDArray[np.float32]:
    """Embed texts with the prompt of their role, and keep nothing of it.

    Args:
        model: whose `prompts["query"]` and `prompts["document"]` are used where they exist.
        texts: n of them.
        role: of the texts.
        **options: of `encode`; a bare function takes none.

    Returns:
        [n, D] float32.
    """
    if isinstance(model, Encodes):
        prompt = prompt_of(model, role)
        given = options if prompt is None else {**options, "prompt": prompt}
        return np.asarray(model.encode(texts, **given), dtype=np.float32)
    return np.asarray(model(texts, role=role), dtype=np.float32)


class TimedEmbed:
    """A model as an `Embed`: chooses prompts, embeds each distinct text once, keeps the time.

    A text counts as the same where its prompt is the same too.

    Attributes:
        texts: how many were embedded.
        tokens: that they have, prompts counted in; None where the model does not say.
        seconds: how long that took.
    """

    def __init__(
        self, model: Encodes | Embed, *, precision: str | None = None, progress: bool = False
    ) -> None:
        """Wrap a model that has `encode`, or a bare function of texts.

        Args:
            model: whose `prompts["query"]` and `prompts["document"]` are used where they exist.
            precision: handed to `encode`; its own default where None.
            progress: handed to `encode` where True.
        """
        self._model = model
        self._options: dict[str, Any] = {} if precision is None else {"precision": precision}
        if progress:
            self._options["progress"] = True
        self._seen: dict[str | None, list[tuple[list[str], NDArray[np.float32]]]] = {}
        self.texts = 0
        self.tokens: int | None = 0 if hasattr(model, "tokenize") else None
        self.seconds = 0.0

    @property
    def vectors(self) -> NDArray[np.float32]:
        """[m, D] of all texts that were embedded, in their order."""
        parts = [vectors for seen in self._seen.values() for _, vectors in seen]
        return np.concatenate(parts) if parts else np.empty((0, 0), dtype=np.float32)

    def __call__(self, texts: Sequence[str], *, role: Role | None = None) -> NDArray[np.float32]:
        """[n, D] float32, in the order of the texts."""
        seen = self._seen.setdefault(self._prompt(role), [])
        known = {
            text: vector
            for before, vectors in seen
            for text, vector in zip(before, vectors, strict=True)
        }
        fresh = [text for text in dict.fromkeys(texts) if text not in known]
        if not fresh:
            return np.stack([known[text] for text in texts])
        vectors = self._embed(fresh, role)
        seen.append((fresh, vectors))
        if len(vectors) != len(fresh) or len(fresh) == len(texts):
            return vectors  # nothing repeats; or it is no vector a text, which the caller refuses
        known.update(zip(fresh, vectors, strict=True))
        return np.stack([known[text] for text in texts])

    def _embed(self, texts: list[str], role: Role | None) -> NDArray[np.float32]:
        start = time.perf_counter()
        vectors = embed_once(self._model, texts, role=role, **self._options)
        self.seconds += time.perf_counter() - start
        self.texts += len(texts)
        if self.tokens is not None:
            tokenize: Any = getattr(self._model, "tokenize", None)
            self.tokens += int(tokenize(texts, prompt=self._prompt(role)).lengths.sum())
        return vectors

    def _prompt(self, role: Role | None) -> str | None:
        """The prompt's text; for a bare function the role itself, which it may heed."""
        return prompt_of(self._model, role) if isinstance(self._model, Encodes) else role
