"""How long the texts of a data set are, and how many a length limit would cut."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from likewise.text.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthAudit:
    """Lengths in tokens, special tokens included.

    Attributes:
        texts: how many.
        tokens: all together, uncut.
        median: of a text.
        longest: of all.
        cut: how many texts the limit cuts.
        limit: that limit.
    """

    texts: int
    tokens: int
    median: int
    longest: int
    cut: int
    limit: int

    def __str__(self) -> str:
        share = 100 * self.cut / max(self.texts, 1)
        return (
            f"{self.texts:,} texts, median {self.median} tokens, longest {self.longest:,}; "
            f"{self.cut:,} ({share:.1f} %) are over the limit of {self.limit} and are cut"
        )


def audit(texts: Sequence[str], tokenizer: Tokenizer, max_tokens: int | None = None) -> LengthAudit:
    """Count the tokens of every text, before anything is trained on them.

    Args:
        texts: of one data set.
        tokenizer: of the base model.
        max_tokens: a limit below the model's own.
    """
    limit = tokenizer.max_tokens if max_tokens is None else min(max_tokens, tokenizer.max_tokens)
    counts = tokenizer.count(texts)
    return LengthAudit(
        texts=len(texts),
        tokens=int(counts.sum()),
        median=int(np.median(counts)) if len(counts) else 0,
        longest=int(counts.max()) if len(counts) else 0,
        cut=int((counts > limit).sum()),
        limit=limit,
    )
