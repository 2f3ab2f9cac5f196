"""Which tokens of a stream are hidden, and behind what, for a model that has to guess them."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer as RustTokenizer
from torch import Tensor

from likewise.text.packed import Packed

MASKED, SWAPPED = 0.8, 0.1  # shares of the chosen tokens (Devlin et al. 2019, section 3.1)
LONGEST_WORD = 8  # pieces; where words have no spaces between them, a whole clause would be one
SPACE_MARK = "▁"  # of SentencePiece, before a word
BYTE_MARKS = ("Ġ", "Ċ", "ĉ", "č")  # a space, a line's end, a tab and a return of byte-level BPE


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What masking has to know of a tokenizer, V being its largest id and one.

    Attributes:
        mask: the id that hides a token.
        is_special: [V] bool: neither chosen, nor put in the place of another.
        begins_word: [V] bool: a word starts with it; True for all where words are not marked.
        ordinary: ids that may take the place of another.
        marks_words: whether the vocabulary tells where a word starts.
        unknown: the id of what the vocabulary lacks; None where it lacks nothing.
    """

    mask: int
    is_special: NDArray[np.bool_]
    begins_word: NDArray[np.bool_]
    ordinary: NDArray[np.int64]
    marks_words: bool
    unknown: int | None = None


def read_vocabulary(rust: RustTokenizer, mask_token: str) -> Vocabulary:
    """Learn which tokens are special and which begin a word.

    A word's further pieces are marked in WordPiece ("##ing"); in SentencePiece ("▁go") and in
    byte-level BPE ("Ġgo") it is its first one.

    Args:
        rust: of the model.
        mask_token: the token that hides another, such as "[MASK]"; one of the tokenizer's.
    """
    names: dict[str, int] = rust.get_vocab(with_added_tokens=True)
    size = max(names.values()) + 1
    mask = names[mask_token]
    unknown = names.get(getattr(rust.model, "unk_token", None) or "")
    added = rust.get_added_tokens_decoder()
    is_special = np.zeros(size, dtype=bool)
    is_special[[i for i, token in added.items() if token.special]] = True
    is_special[[mask, *rust.encode("").ids, *([] if unknown is None else [unknown])]] = True
    begins = np.ones(size, dtype=bool)
    marked = _marked(rust, names)
    for name, i in names.items():
        begins[i] = marked.starts(name)
    begins[list(added)] = True
    exists = np.zeros(size, dtype=bool)
    exists[list(names.values())] = True
    return Vocabulary(
        mask=mask,
        is_special=is_special,
        begins_word=begins,
        ordinary=np.flatnonzero(exists & ~is_special),
        marks_words=marked.is_known,
        unknown=unknown,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marks:
    """How a vocabulary tells where a word begins: by what follows, by what leads, or not at all."""

    follows: str = ""
    leads: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        return bool(self.follows or self.leads)

    def starts(self, name: str) -> bool:
        if self.follows:
            return not name.startswith(self.follows)
        return not self.leads or name.startswith(self.leads)


def _marked(rust: RustTokenizer, names: dict[str, int]) -> _Marks:
    follows = getattr(rust.model, "continuing_subword_prefix", None)
    if follows:
        return _Marks(follows=follows)
    for leads in ((SPACE_MARK,), BYTE_MARKS):
        if any(name.startswith(leads[0]) for name in names):
            return _Marks(leads=leads)
    return _Marks()


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """A stream with N tokens hidden.

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
    skipped: int = 0,
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
        skipped: leading tokens of each text that are never chosen: a prompt's.

    Returns:
        The stream and what stood there; without a token that could be chosen, none.
    """
    ids = packed.ids.numpy()
    starts = packed.starts.numpy()
    may = ~vocabulary.is_special[ids]
    if skipped:
        may &= packed.positions().numpy() >= skipped
    places = np.flatnonzero(may)
    begins = vocabulary.begins_word[ids[places]] if whole_words else np.ones(len(places), bool)
    chosen = places[_choose(places, starts, begins, draw, probability)]
    found = ids[chosen]
    hidden = ids.copy()
    hidden[chosen] = _disguise(found, vocabulary, draw)
    marked = np.zeros(len(ids), dtype=bool)
    marked[chosen] = True
    stream = replace(packed, ids=torch.from_numpy(hidden), pooled=torch.from_numpy(marked))
    return Masked(packed=stream, tokens=torch.from_numpy(found))


def _choose(
    places: NDArray[np.int64],
    starts: NDArray[np.int64],
    begins: NDArray[np.bool_],
    draw: np.random.Generator,
    probability: float,
) -> NDArray[np.bool_]:
    """[m] whether each of the m tokens that may be chosen is, words as a whole."""
    if not len(places):
        return np.zeros(0, dtype=bool)
    owner = np.searchsorted(starts, places, side="right") - 1
    begins = begins.copy()
    begins[0] = True
    begins[1:] |= np.diff(places) > 1  # another text, or a special token in between
    words = np.cumsum(begins) - 1
    begins |= np.bincount(words)[words] > LONGEST_WORD
    words = np.cumsum(begins) - 1
    owners = owner[begins]  # of each word
    order = np.lexsort((draw.random(len(owners)), owners))
    sizes = np.bincount(words)[order]
    before = np.cumsum(sizes) - sizes
    first = np.flatnonzero(np.diff(owners, prepend=-1))  # of each text; `owners` is sorted
    before -= np.repeat(before[first], np.diff(np.append(first, len(owners))))
    budget = np.maximum(probability * np.bincount(owner), 1.0)[owners]
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
    shown[lot < MASKED] = vocabulary.mask
    swapped = (lot >= MASKED) & (lot < MASKED + SWAPPED)
    others = draw.integers(len(vocabulary.ordinary), size=len(found))
    shown[swapped] = vocabulary.ordinary[others[swapped]]
    return shown
