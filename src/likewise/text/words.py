"""Which pieces of a vocabulary make up one word: told from the pieces, without the text."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer as RustTokenizer

SENTENCE_PIECE: Final = "\u2581"  # before the first piece of a word
BYTE_LEVEL: Final = "\u0120"  # the same in byte-level BPE: the byte of a space
MASKS: Final = ("[MASK]", "<mask>")
UNKNOWN: Final = ("[UNK]", "<unk>")
# Thai and Lao, Myanmar, Khmer, kana, Han: no spaces between words
UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff]"
)

Tell: TypeAlias = Callable[[str], tuple[bool, bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """What each of V pieces says about words.

    Attributes:
        begins: [V] whether a word begins with it, whatever stands before it.
        ends: [V] whether the word ends with it, so that the next piece begins another.
        special: [V] whether it is no text: the tokens around one, padding, a mark of space alone.
        mask_id: the token that hides another; None where there is none.
    """

    begins: NDArray[np.bool_]
    ends: NDArray[np.bool_]
    special: NDArray[np.bool_]
    mask_id: int | None = None

    def __len__(self) -> int:
        return len(self.begins)


def read_pieces(rust: RustTokenizer) -> Pieces:
    r"""Tell from the marks of a vocabulary where words begin.

    WordPiece marks a piece that goes on ("##ing"), SentencePiece and byte-level BPE one that
    begins ("\u2581the", "\u0120the"), older BPE one that ends ("the</w>"). Where a word may begin
    without a space, punctuation is a word of its own, and in a script that has no spaces every
    piece is. In a vocabulary without marks every piece is a word.

    Args:
        rust: from a tokenizer.json.
    """
    names = rust.get_vocab(with_added_tokens=True)
    size = max(names.values(), default=-1) + 1
    begins, ends, special = (np.zeros(size, dtype=bool) for _ in range(3))
    tell = _tell(rust, list(names))
    for name, i in names.items():
        begins[i], ends[i] = tell(name)
    special[[i for i, token in rust.get_added_tokens_decoder().items() if token.special]] = True
    special[rust.encode("").ids] = True
    unknown = (getattr(rust.model, "unk_token", None), *UNKNOWN)
    special[[names[name] for name in unknown if name in names]] = False  # it stands for a word
    special[[names[name] for name in (SENTENCE_PIECE, BYTE_LEVEL) if name in names]] = True
    mask_id = next((names[name] for name in MASKS if name in names), None)
    return Pieces(begins=begins, ends=ends, special=special, mask_id=mask_id)


def _tell(rust: RustTokenizer, names: Sequence[str]) -> Tell:
    """From a piece to whether it begins a word, and whether it ends one."""
    if type(rust.model).__name__ == "WordPiece":
        prefix: str = rust.model.continuing_subword_prefix
        return lambda name: (_begins_after(name, prefix), False)
    suffix = getattr(rust.model, "end_of_word_suffix", None)
    if suffix:
        return lambda name: (False, name.endswith(suffix))
    marked = {m: sum(n.startswith(m) for n in names) for m in (SENTENCE_PIECE, BYTE_LEVEL)}
    mark = max(marked, key=lambda m: marked[m])
    if not marked[mark]:
        return lambda name: (True, True)
    decode = _byte_decoder() if mark == BYTE_LEVEL else (lambda name: name.replace(mark, " "))
    return lambda name: _by_letters(decode(name))


def _begins_after(name: str, prefix: str) -> bool:
    """Of a WordPiece: not marked as going on, or of a script without spaces."""
    return not name.startswith(prefix) or UNSPACED.match(name, len(prefix)) is not None


def _by_letters(text: str) -> tuple[bool, bool]:
    """Of a piece as it reads: words are runs of letters, marks and digits, or anything else."""
    if not text:
        return False, False
    return _parts(text[0]), _parts(text[-1])


def _parts(letter: str) -> bool:
    """Whether a word ends before this letter, or after it; half a letter parts nothing."""
    inside = unicodedata.category(letter)[0] in "LMN" or letter == "\ufffd"
    return not inside or UNSPACED.match(letter) is not None


def _byte_decoder() -> Callable[[str], str]:
    """From a piece of byte-level BPE to its text; bytes of half a letter become U+FFFD.

    Bytes that can be printed stand for themselves there, the others for letters from U+0100 on
    (Radford et al. 2019, section 2.2).
    """
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    value = {chr(byte): byte for byte in plain}
    value |= {chr(256 + i): byte for i, byte in enumerate(others)}

    def decode(name: str) -> str:
        known = bytes(value[letter] for letter in name if letter in value)
        return known.decode("utf-8", errors="replace")

    return decode
