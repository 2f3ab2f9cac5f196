"""A random stretch of a text: another view of it."""

import re
from dataclasses import dataclass

import numpy as np

from likewise.data.dataset import Dataset
from likewise.errors import InputError
from likewise.training.text_rows import text_chunks

# Han and kana have no spaces between words: there a word is one sign
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How much of a text a crop keeps: a share of its words drawn evenly between two bounds.

    Attributes:
        least: over 0.
        most: up to 1.
    """

    least: float = 0.3
    most: float = 0.7

    def __post_init__(self) -> None:
        """Refuse bounds out of range."""
        if not 0 < self.least <= self.most <= 1:
            problem = (
                "a crop keeps from min_share to max_share of a text's words, over 0 and at most "
                f"1; found {self.least} to {self.most}"
            )
            raise InputError(problem, mend="change min_share or max_share: 0.3 and 0.7 are usual")


def crop(text: str, draw: np.random.Generator, shares: Shares, *, most: int | None = None) -> str:
    """One contiguous stretch of a text, from a word's start to a word's end.

    Args:
        text: words stand between spaces; of Chinese and Japanese every sign is one.
        draw: where length and place come from.
        shares: of its words, one at least; a text of one word is its own crop.
        most: words at the most, so that no more is cut out than a model reads.

    >>> crop("one two  three four", np.random.default_rng(0), Shares(least=0.5, most=0.5))
    'two  three'
    """
    words = [found.span() for found in _WORD.finditer(text)]
    if len(words) < 2:
        return text
    kept = max(round(len(words) * draw.uniform(shares.least, shares.most)), 1)
    kept = kept if most is None else min(kept, most)
    first = int(draw.integers(len(words) - kept + 1))
    return text[words[first][0] : words[first + kept - 1][1]]


def count_single_words(data: Dataset) -> int:
    """How many texts have one word, or none, so that nothing can be cropped."""
    return sum(not _has_two_words(text) for texts in text_chunks(data) for text in texts)


def _has_two_words(text: str) -> bool:
    found = _WORD.finditer(text)
    return next(found, None) is not None and next(found, None) is not None
