"""Two texts to one sequence: special tokens around them, the longer one cut first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer as RustTokenizer
from tokenizers import normalizers

from likewise.errors import InputError
from likewise.text.packed import Packed, pack
from likewise.text.tokenizer import CHUNK

Side: TypeAlias = Literal["left", "right"]
Ids: TypeAlias = NDArray[np.int32]

PROBES = ("a", "1", ".", "the")  # texts, one of which has a token in any tokenizer


@dataclass(frozen=True, slots=True, kw_only=True)
class PairTemplate:
    """What stands around two texts, as `[CLS] a [SEP] b [SEP]` in BERT.

    Attributes:
        front: ids before the first text.
        middle: ids between the two.
        back: ids behind the second text.
        segments: the type of the front, the first text, the middle, the second text and the back;
            of the three that may have several tokens, one type a token.
    """

    front: tuple[int, ...] = ()
    middle: tuple[int, ...] = ()
    back: tuple[int, ...] = ()
    segments: tuple[tuple[int, ...], int, tuple[int, ...], int, tuple[int, ...]] = (
        (),
        0,
        (),
        0,
        (),
    )

    @property
    def added(self) -> int:
        """How many special tokens a pair gets."""
        return len(self.front) + len(self.middle) + len(self.back)

    @property
    def has_segments(self) -> bool:
        """Whether any token is of another type than 0."""
        front, first, middle, second, back = self.segments
        return any((*front, first, *middle, second, *back))

    def types(self, first: int, second: int) -> NDArray[np.int64]:
        """[L] the type of each token of a pair of texts with so many tokens."""
        front, one, middle, two, back = self.segments
        return np.array([*front, *[one] * first, *middle, *[two] * second, *back], dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizedPairs:
    """The token ids of n pairs.

    Attributes:
        ids: n arrays of int32, special tokens included, each within the limit, none empty.
        seconds: [n] where in each the second text starts.
        cut: how many pairs were longer than the limit and lost tokens.
    """

    ids: list[Ids]
    seconds: NDArray[np.int64]
    cut: int

    @property
    def lengths(self) -> NDArray[np.int64]:
        """[n] tokens a pair."""
        return np.fromiter((len(pair) for pair in self.ids), dtype=np.int64, count=len(self.ids))


class PairTokenizer:
    """A `tokenizers` tokenizer for pairs: each text is tokenised once, then joined with others.

    Attributes:
        max_tokens: longest pair, special tokens included; longer ones are cut.
        template: the special tokens, as the tokenizer's own post-processor puts them.
        has_segments: whether `pack` gives each token its type.
    """

    def __init__(
        self,
        rust: RustTokenizer,
        *,
        max_tokens: int,
        has_segments: bool = True,
        side: Side = "right",
        empty_id: int = 0,
    ) -> None:
        """Take a tokenizer, drop its padding and truncation, and learn its template for pairs.

        Args:
            rust: from a tokenizer.json.
            max_tokens: longest pair, special tokens included.
            has_segments: False where the model has one type of token only.
            side: at which end a text that is too long loses tokens.
            empty_id: the id that stands for a pair without any token.

        Raises:
            InputError: it puts a pair into an order of its own, or the limit leaves no room.
        """
        self._rust = RustTokenizer.from_str(rust.to_str())
        self._rust.no_padding()
        self._rust.no_truncation()
        self.template = learn_template(self._rust)
        self.max_tokens = max_tokens
        self.has_segments = has_segments and self.template.has_segments
        self.side = side
        self.empty_id = empty_id
        if max_tokens < self.template.added:
            problem = f"a pair has {self.template.added} special tokens, the limit is {max_tokens}"
            raise InputError(problem, mend="allow more tokens a pair")

    def tokenize(self, texts: Sequence[str]) -> list[Ids]:
        """The ids of each text without special tokens and without a limit; some may be empty."""
        ids: list[Ids] = []
        for start in range(0, len(texts), CHUNK):
            chunk = list(texts[start : start + CHUNK])
            found = self._rust.encode_batch_fast(chunk, add_special_tokens=False)
            ids.extend(np.array(encoding.ids, dtype=np.int32) for encoding in found)
        return ids

    def join(self, first: Ids, second: Ids) -> tuple[Ids, int]:
        """Put the special tokens around two texts, cut to the limit, the longer one first.

        Args:
            first: [n] ids of the first text, as `tokenize` gave them.
            second: [m] ids of the second.

        Returns:
            The pair's ids, and where in them the second text starts.
        """
        template = self.template
        a, b = longest_first(len(first), len(second), self.max_tokens - template.added)
        one, two = self._cut(first, a), self._cut(second, b)
        parts = (template.front, one, template.middle, two, template.back)
        ids = np.concatenate([np.asarray(part, dtype=np.int32) for part in parts])
        if not len(ids):
            return np.array([self.empty_id], dtype=np.int32), 1
        return ids, len(template.front) + a + len(template.middle)

    def is_cut(self, first: Ids, second: Ids) -> bool:
        """Whether `join` of these two loses tokens."""
        return len(first) + len(second) + self.template.added > self.max_tokens

    def tokenize_pairs(self, pairs: Sequence[tuple[str, str]]) -> TokenizedPairs:
        """Turn pairs into ids; each distinct text is tokenised once.

        Args:
            pairs: n pairs of texts.
        """
        distinct = list(dict.fromkeys(text for pair in pairs for text in pair))
        known = dict(zip(distinct, self.tokenize(distinct), strict=True))
        halves = [(known[a], known[b]) for a, b in pairs]
        joined = [self.join(a, b) for a, b in halves]
        return TokenizedPairs(
            ids=[ids for ids, _ in joined],
            seconds=np.array([second for _, second in joined], dtype=np.int64),
            cut=sum(self.is_cut(a, b) for a, b in halves),
        )

    def pack(self, ids: Sequence[Ids], seconds: Sequence[int] | NDArray[np.int64]) -> Packed:
        """Join some pairs into one stream, each token with its type where the model has types.

        Args:
            ids: S pairs, as `join` gave them.
            seconds: [S] where the second text of each starts.
        """
        packed = pack(ids)
        if not self.has_segments:
            return packed
        types = [self._types(len(pair), int(s)) for pair, s in zip(ids, seconds, strict=True)]
        segments = torch.from_numpy(np.concatenate(types))
        return Packed(ids=packed.ids, starts=packed.starts, segments=segments)

    def _types(self, length: int, second: int) -> NDArray[np.int64]:
        template = self.template
        first = second - len(template.front) - len(template.middle)
        return template.types(first, length - first - template.added)

    def _cut(self, ids: Ids, kept: int) -> Ids:
        return ids[len(ids) - kept :] if self.side == "left" else ids[:kept]


def longest_first(first: int, second: int, room: int) -> tuple[int, int]:
    """How many tokens of each text stay where both together may have `room`.

    The longer one is cut down to what the shorter leaves, yet not below it; where that is not
    enough each gets half, and the longer one the odd token. So do the tokenizers of the peer
    (`longest_first` of Hugging Face tokenizers).

    >>> longest_first(3, 20, 10), longest_first(20, 9, 11), longest_first(2, 3, 10)
    ((3, 7), (6, 5), (2, 3))
    """
    if first + second <= room:
        return first, second
    is_swapped = first > second
    short, long = min(first, second), max(first, second)
    long = short if short > room else max(short, room - short)
    if short + long > room:
        short = room // 2
        long = short + room % 2
    return (long, short) if is_swapped else (short, long)


def lower_first(rust: RustTokenizer) -> RustTokenizer:
    """The same tokenizer, which lowers a text before anything else; special tokens stay."""
    lowering = RustTokenizer.from_str(rust.to_str())
    lower, own = normalizers.Lowercase(), lowering.normalizer
    lowering.normalizer = lower if own is None else normalizers.Sequence([lower, own])
    return lowering


def learn_template(rust: RustTokenizer) -> PairTemplate:
    """The special tokens that a tokenizer's post-processor puts around a pair, and all types.

    Args:
        rust: without truncation and padding.

    Raises:
        InputError: the texts do not stand one after the other.
    """
    for probe in PROBES:
        if not len(rust.encode(probe, add_special_tokens=False)):
            continue
        found = rust.encode(probe, probe)
        owners, ids, types = found.sequence_ids, found.ids, found.type_ids
        a = [i for i, owner in enumerate(owners) if owner == 0]
        b = [i for i, owner in enumerate(owners) if owner == 1]
        if not a or not b or not _is_run(a) or not _is_run(b) or b[0] <= a[-1]:
            break
        front, middle, back = slice(0, a[0]), slice(a[-1] + 1, b[0]), slice(b[-1] + 1, None)
        return PairTemplate(
            front=tuple(ids[front]),
            middle=tuple(ids[middle]),
            back=tuple(ids[back]),
            segments=(
                tuple(types[front]),
                types[a[0]],
                tuple(types[middle]),
                types[b[0]],
                tuple(types[back]),
            ),
        )
    problem = "this tokenizer does not put the two texts of a pair one after the other"
    raise InputError(problem, mend="use a model whose tokenizer.json has a template for pairs")


def _is_run(places: list[int]) -> bool:
    return places == list(range(places[0], places[-1] + 1))
