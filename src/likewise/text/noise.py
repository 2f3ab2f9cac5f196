"""Damage to the tokens of texts, for a model that learns to mend it.

Whole words are damaged, as in the paper (Wang et al. 2021) and its authors' code: of a word whose
first piece is gone the rest is still there to be read, and "##ing" alone asks for another skill
than a missing word does. Which pieces are one word is told from the ids, so that texts are
tokenised once and damaged anew every step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from likewise.registry import Table
from likewise.text.words import Pieces

Ids: TypeAlias = NDArray[np.int64]
HALVINGS = 60  # of the interval in which the threshold of frequencies is looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words of S texts that lie in one stream of T tokens.

    Attributes:
        ids: [T] token ids.
        starts: [S + 1]; text s is `ids[starts[s]:starts[s + 1]]`.
        words: [T] the word that each token belongs to, from 0 through all texts; -1 for a token
            that must stay as it is: special ones, and those of a prompt.
        texts: [W] the text that each word stands in.
        mask_id: the token that hides another; None where the vocabulary has none.
    """

    ids: Ids
    starts: Ids
    words: Ids
    texts: Ids
    mask_id: int | None = None

    def __len__(self) -> int:
        return len(self.texts)


def find_words(ids: Ids, starts: Ids, pieces: Pieces, *, front: int = 0) -> Words:
    """Tell which tokens of a stream are words, and which belong to the same.

    Args:
        ids: [T] token ids of S texts.
        starts: [S + 1] where each begins; none is empty.
        pieces: of the vocabulary.
        front: leading tokens of each text that are a prompt.
    """
    lengths = np.diff(starts)
    owners = np.repeat(np.arange(len(lengths)), lengths)
    places = np.arange(len(ids)) - np.repeat(starts[:-1], lengths)
    is_fixed = pieces.special[ids] | (places < front)
    ends_before = np.ones(len(ids), dtype=bool)  # what stands before a text is no part of its word
    ends_before[1:] = is_fixed[:-1] | pieces.ends[ids[:-1]]
    is_first = ~is_fixed & (pieces.begins[ids] | ends_before | (places == 0))
    words = np.where(is_fixed, -1, np.cumsum(is_first) - 1)
    return Words(
        ids=ids, starts=starts, words=words, texts=owners[is_first], mask_id=pieces.mask_id
    )


# Words, [W] the chance of each to be damaged, and what draws: to ids and starts
Damage: TypeAlias = Callable[[Words, NDArray[np.float64], np.random.Generator], tuple[Ids, Ids]]


def delete(
    words: Words, chances: NDArray[np.float64], draw: np.random.Generator
) -> tuple[Ids, Ids]:
    """Take each word out with its chance; of every text one word stays (Wang et al. 2021, 3)."""
    kept = ~_on_tokens(words, _hit(words, chances, draw))
    counts = np.add.reduceat(kept, words.starts[:-1], dtype=np.int64)
    return words.ids[kept], np.concatenate([[0], np.cumsum(counts)])


def mask(words: Words, chances: NDArray[np.float64], draw: np.random.Generator) -> tuple[Ids, Ids]:
    """Hide each word with its chance, piece by piece; of every text one word stays visible."""
    if words.mask_id is None:
        raise ValueError("the vocabulary has no token that hides another")
    hidden = _on_tokens(words, _hit(words, chances, draw))
    return np.where(hidden, words.mask_id, words.ids), words.starts


def swap(words: Words, chances: NDArray[np.float64], draw: np.random.Generator) -> tuple[Ids, Ids]:
    """Exchange each pair of neighbours with the chance of its first word.

    Pairs do not overlap, and begin at the first word of a text or at its second by turns of luck:
    no word moves further than one place.
    """
    if not len(words):
        return words.ids, words.starts
    firsts = np.append(True, words.texts[1:] != words.texts[:-1])
    place = np.arange(len(words)) - np.flatnonzero(firsts)[np.cumsum(firsts) - 1]
    odd = draw.integers(0, 2, int(words.texts[-1]) + 1)[words.texts]
    has_next = np.append(words.texts[1:] == words.texts[:-1], False)
    swapped = has_next & (place % 2 == odd) & (draw.random(len(words)) < chances)
    rank = np.arange(len(words))
    rank[swapped] += 1
    rank[1:][swapped[:-1]] -= 1
    # the tokens of words in their new order fill the places where words were
    is_word = words.words >= 0
    order = np.argsort(rank[words.words[is_word]], kind="stable")
    ids = words.ids.copy()
    ids[is_word] = words.ids[is_word][order]
    return ids, words.starts


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """One entry of `NOISES`.

    Attributes:
        damage: what happens to the words.
        by_frequency: whether frequent words are damaged more often than rare ones.
        shortens: whether a damaged text has fewer tokens.
    """

    damage: Damage
    by_frequency: bool = False
    shortens: bool = False


NOISES: Final[Table[Noise]] = Table(
    "likewise.noises",
    {
        "delete": Noise(damage=delete, shortens=True),
        "delete-frequent": Noise(damage=delete, by_frequency=True, shortens=True),
        "mask": Noise(damage=mask),
        "swap": Noise(damage=swap),
    },
)


def frequency_chances(words: Words, vocabulary: int, ratio: float) -> NDArray[np.float64]:
    """The chance of each piece to be damaged, larger where it is frequent, `ratio` on average.

    max(0, 1 - sqrt(t / f)), where f is the share of the piece among all: the subsampling of
    word2vec (Mikolov et al. 2013, "Distributed Representations", equation 5). There t is chosen
    by hand, here so that of the running words of a sample the share `ratio` goes.

    Args:
        words: of a sample of texts.
        vocabulary: V.
        ratio: share of the running words, over 0 and below 1.

    Returns:
        [V], 0 for what the sample has not; a word has the chance of its rarest piece.
    """
    counts = np.bincount(words.ids[words.words >= 0], minlength=vocabulary)
    shares = counts / max(counts.sum(), 1)
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if word_chances(words, _subsampling(shares, middle)).mean() > ratio:
            low = middle
        else:
            high = middle
    return _subsampling(shares, high)


def word_chances(words: Words, chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """[W] the chance of each word: that of its piece with the smallest, of the [V] given."""
    is_word = words.words >= 0
    numbers = words.words[is_word]
    if not len(numbers):
        return np.zeros(0)
    first = np.flatnonzero(np.append(True, numbers[1:] != numbers[:-1]))
    found: NDArray[np.float64] = np.minimum.reduceat(chances[words.ids[is_word]], first)
    return found


def _subsampling(shares: NDArray[np.float64], threshold: float) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        kept = np.sqrt(threshold / shares)
    chances: NDArray[np.float64] = np.clip(1 - kept, 0.0, 1.0)
    return chances


def _hit(
    words: Words, chances: NDArray[np.float64], draw: np.random.Generator
) -> NDArray[np.bool_]:
    """[W] which words are damaged: each by its own chance, yet never all of a text."""
    hit: NDArray[np.bool_] = draw.random(len(words)) < chances
    if not len(words):
        return hit
    spared = draw.random(len(words))  # of each text the word with the largest, if all were hit
    firsts = np.flatnonzero(np.append(True, words.texts[1:] != words.texts[:-1]))
    is_lost = np.logical_and.reduceat(hit, firsts)
    best = np.maximum.reduceat(spared, firsts)
    which = np.repeat(np.arange(len(firsts)), np.diff(np.append(firsts, len(words))))
    hit[is_lost[which] & (spared == best[which])] = False
    return hit


def _on_tokens(words: Words, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """[T] which tokens belong to one of the words chosen."""
    return np.append(chosen, False)[words.words]  # -1, which is no word, finds the False
