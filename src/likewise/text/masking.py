"""Which tokens of a stream are hidden, and behind what, for a model that has to guess them."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer as RustTokenizer
from torch import Tensor

from likewise.text.noise import find_words
from likewise.text.packed import Packed
from likewise.text.words import Pieces, read_pieces

MASKED, SWAPPED = 0.8, 0.1  # shares of the chosen tokens (Devlin et al. 2019, section 3.1)
LONGEST_WORD = 8  # pieces; a string without an end, as of DNA, would be hidden as a whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What masking has to know of a tokenizer's pieces.

    Attributes:
        pieces: what each says about words; what stands for the unknown counts as special.
        mask_id: the token that hides another.
        ordinary: ids that may take the place of another.
        unknown_id: the token of what the vocabulary lacks; None where it lacks nothing.
    """

    pieces: Pieces
    mask_id: int
    ordinary: NDArray[np.int64]
    unknown_id: int | None = None


def read_vocabulary(rust: RustTokenizer, unknown_id: int | None) -> Vocabulary | None:
    """Learn which tokens may be chosen and which may not.

    Args:
        rust: of the model.
        unknown_id: the token of what the vocabulary lacks, which is never chosen: nothing is
            learnt by guessing that something is unknown.

    Returns:
        None where the vocabulary has no token that hides another.
    """
    pieces = read_pieces(rust)
    if pieces.mask_id is None:
        return None
    special = pieces.special.copy()
    if unknown_id is not None:
        special[unknown_id] = True
    exists = np.zeros(len(pieces), dtype=bool)
    exists[list(rust.get_vocab(with_added_tokens=True).values())] = True
    return Vocabulary(
        pieces=replace(pieces, special=special),
        mask_id=pieces.mask_id,
        ordinary=np.flatnonzero(exists & ~special),
        unknown_id=unknown_id,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """A stream with N tokens to guess.

    Attributes:
        packed: the stream; `pooled` marks the N tokens, whether they look hidden or not.
        tokens: [N] int64, the ids that stood there, in the order of the stream.
    """

    packed: Packed
    tokens: Tensor


def mask_tokens(
    packed: Packed,
    vocabulary: Vocabulary,
    draw: np.random.Generator,
    *,
    probability: float = 0.15,
    whole_words: bool = True,
    front: int = 0,
) -> Masked:
    """Choose tokens to guess; hide 80 % of them, swap 10 %, leave 10 % (Devlin et al. 2019).

    Words are taken in an order drawn for each text, until their pieces are a share `probability`
    of the text's; the word that goes over it is in with the chance that keeps the mean right.
    Each text has one word at least, so that none is read for nothing.

    Args:
        packed: S texts, on the CPU.
        vocabulary: of their tokenizer.
        draw: of the places, and of what is put there.
        probability: share of the tokens that is chosen.
        whole_words: all pieces of a word together; one of over 8 pieces counts piece by piece.
        front: leading tokens of each text that are a prompt, and never chosen.

    Returns:
        The stream and what stood there; nothing where no token may be chosen.
    """
    ids, starts = packed.ids.numpy(), packed.starts.numpy()
    found = find_words(ids, starts, vocabulary.pieces, front=front)
    places = np.flatnonzero(found.words >= 0)
    owners = found.texts[found.words[places]]
    words = _split_long(found.words[places]) if whole_words else np.arange(len(places))
    chosen = places[_choose(words, owners, draw, probability)]
    hidden = ids.copy()
    hidden[chosen] = _disguise(ids[chosen], vocabulary, draw)
    marked = np.zeros(len(ids), dtype=bool)
    marked[chosen] = True
    stream = replace(packed, ids=torch.from_numpy(hidden), pooled=torch.from_numpy(marked))
    return Masked(packed=stream, tokens=torch.from_numpy(ids[chosen]))


def count_pieces(
    tokens: NDArray[np.int32], starts: NDArray[np.int64], vocabulary: Vocabulary, *, front: int = 0
) -> NDArray[np.int64]:
    """How many tokens of each text could be chosen.

    Args:
        tokens: [T] token ids of S texts.
        starts: [S + 1] where each begins; none is empty.
        vocabulary: of their tokenizer.
        front: leading tokens of each text that are a prompt.

    Returns:
        [S].
    """
    may = ~vocabulary.pieces.special[tokens]
    places = np.arange(len(tokens)) - np.repeat(starts[:-1], np.diff(starts))
    counts: NDArray[np.int64] = np.add.reduceat(may & (places >= front), starts[:-1], dtype=int)
    return counts


def _split_long(words: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the words anew, each piece of a long one as a word of its own."""
    sizes = np.bincount(words)
    is_new = np.append(True, np.diff(words) > 0)[: len(words)] | (sizes[words] > LONGEST_WORD)
    return np.cumsum(is_new) - 1


def _choose(
    words: NDArray[np.int64],
    owners: NDArray[np.int64],
    draw: np.random.Generator,
    probability: float,
) -> NDArray[np.bool_]:
    """[m] whether each of the m tokens that may be chosen is, words as a whole.

    Args:
        words: [m] each token's word, from 0, in order.
        owners: [m] each token's text, in order.
        draw: of the words.
        probability: share of a text's tokens.
    """
    if not len(words):
        return np.zeros(0, dtype=bool)
    sizes = np.bincount(words)
    texts = owners[np.cumsum(sizes) - 1]  # of each word
    order = np.lexsort((draw.random(len(sizes)), texts))  # within each text; `texts` is sorted
    sizes = sizes[order]
    before = np.cumsum(sizes) - sizes
    first = np.flatnonzero(np.diff(texts, prepend=-1))
    before -= np.repeat(before[first], np.diff(np.append(first, len(texts))))
    budget = np.maximum(probability * np.bincount(owners), 1.0)[texts]
    taken = draw.random(len(order)) * sizes < budget - before
    taken[first] = True
    is_chosen = np.empty(len(order), dtype=bool)
    is_chosen[order] = taken
    chosen: NDArray[np.bool_] = is_chosen[words]
    return chosen


def _disguise(
    found: NDArray[np.int64], vocabulary: Vocabulary, draw: np.random.Generator
) -> NDArray[np.int64]:
    """What stands in the place of the chosen tokens."""
    shown = found.copy()
    lot = draw.random(len(found))
    shown[lot < MASKED] = vocabulary.mask_id
    swapped = (lot >= MASKED) & (lot < MASKED + SWAPPED)
    others = draw.integers(len(vocabulary.ordinary), size=len(found))
    shown[swapped] = vocabulary.ordinary[others[swapped]]
    return shown
