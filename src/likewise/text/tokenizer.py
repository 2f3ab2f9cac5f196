"""Texts to token ids: prompts in front, the length limit kept, what was cut counted."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer as RustTokenizer
from tokenizers import normalizers

CHUNK = 4096  # texts handed to the tokenizer at a time: bounds its memory, not its speed


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokenized:
    """The token ids of n texts.

    Attributes:
        ids: n arrays of int32, special tokens included, each within the limit, none empty.
        is_cut: [n] bool: longer than the limit, so that its end is lost.
        prompt_tokens: leading tokens of each text that belong to the prompt.
    """

    ids: list[NDArray[np.int32]]
    is_cut: NDArray[np.bool_]
    prompt_tokens: int = 0

    @property
    def cut(self) -> int:
        """How many texts lost their end."""
        return int(self.is_cut.sum())

    @property
    def lengths(self) -> NDArray[np.int64]:
        """[n] tokens a text."""
        return np.fromiter((len(text) for text in self.ids), dtype=np.int64, count=len(self.ids))


class Tokenizer:
    """A `tokenizers` tokenizer with a length limit."""

    def __init__(
        self, rust: RustTokenizer, *, max_tokens: int, lower_case: bool = False, empty_id: int = 0
    ) -> None:
        """Take a tokenizer and drop the padding and truncation stored with it.

        Args:
            rust: from a tokenizer.json.
            max_tokens: longest text, special tokens included.
            lower_case: lower the text first (`do_lower_case` of old model folders).
            empty_id: the id that stands for a text without any token.
        """
        self._rust = RustTokenizer.from_str(rust.to_str())
        self._rust.no_padding()
        self._rust.no_truncation()
        if lower_case:  # the normaliser leaves special tokens alone, as the peer does
            lower, own = normalizers.Lowercase(), self._rust.normalizer
            self._rust.normalizer = lower if own is None else normalizers.Sequence([lower, own])
        self.max_tokens = max_tokens
        self.lower_case = lower_case
        self.empty_id = empty_id

    @property
    def vocabulary_size(self) -> int:
        """Number of tokens, added ones included."""
        return self._rust.get_vocab_size()

    def tokenize(
        self, texts: Sequence[str], *, prompt: str = "", max_tokens: int | None = None
    ) -> Tokenized:
        """Turn texts into ids.

        Args:
            texts: n texts.
            prompt: put before each.
            max_tokens: a limit below the model's own.
        """
        limit = self.max_tokens if max_tokens is None else min(max_tokens, self.max_tokens)
        self._rust.enable_truncation(limit)
        ids: list[NDArray[np.int32]] = []
        is_cut: list[bool] = []
        for start in range(0, len(texts), CHUNK):
            chunk = [prompt + text for text in texts[start : start + CHUNK]]
            for encoding in self._rust.encode_batch_fast(chunk):
                ids.append(np.array(encoding.ids or [self.empty_id], dtype=np.int32))
                is_cut.append(bool(encoding.overflowing))
        self._rust.no_truncation()
        prompt_tokens = self._prompt_tokens(prompt)
        return Tokenized(ids=ids, is_cut=np.array(is_cut, dtype=bool), prompt_tokens=prompt_tokens)

    def count(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """[n] tokens each text has without any limit, special tokens included."""
        counts = np.zeros(len(texts), dtype=np.int64)
        for start in range(0, len(texts), CHUNK):
            chunk = list(texts[start : start + CHUNK])
            for i, encoding in enumerate(self._rust.encode_batch_fast(chunk)):
                counts[start + i] = len(encoding.ids)
        return counts

    def _prompt_tokens(self, prompt: str) -> int:
        if not prompt:
            return 0
        mask = self._rust.encode(prompt).special_tokens_mask
        trailing = len(mask) - 1 - max((i for i, m in enumerate(mask) if not m), default=0)
        return len(mask) - trailing
