"""Word vectors as the contents of a static encoder: a text is the mean of its words' vectors.

    mean over t of w(t) * v(t)  -  its share along u   =   mean over t of (I - u u^T) w(t) v(t)

A mean is linear. So the weights of smooth inverse frequency and the removal of a direction, which
Arora et al. (2017) apply to words and then to sentences, both fold into the table: what is left is
a plain table, as fast as before, in a plain StaticEmbedding folder, and every loss can train it.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Regex, normalizers, pre_tokenizers
from tokenizers import Tokenizer as RustTokenizer
from tokenizers.models import WordLevel
from tokenizers.trainers import WordLevelTrainer

from likewise.errors import InputError
from likewise.models.folder.contents import ModelFolder
from likewise.models.folder.static_layout import WEIGHT, static_config
from likewise.models.folder.tokenizer_files import FAST
from likewise.models.word_vectors import WordVectors
from likewise.text.tokenizer import Tokenizer

UNKNOWN = "[UNK]"
PIECES = r"\w+|[^\w\s]"  # runs of letters, digits and marks, and every other sign by itself

# The texts whose first component is taken out; or "words", for that of the words themselves.
Component: TypeAlias = Sequence[str] | Literal["words"]


def static_contents(
    vectors: WordVectors,
    *,
    sif: float | None = None,
    frequencies_of: Sequence[str] | None = None,
    remove_component_of: Component | None = None,
    lower_case: bool | None = None,
) -> ModelFolder:
    """Word vectors as a model folder's contents, with whatever weighting folded into the table.

    A word that the text has and the file lacks is `[UNK]`, whose row is zero.

    Args:
        vectors: as `read_word_vectors` gave them.
        sif: a of the weights a / (a + p(w)); 1e-3 to 1e-4 is usual; None for equal weights.
        frequencies_of: texts to count p(w) in. Where None, p(w) is by the counts that came with
            the vectors; or follows from the word's place in the file by Zipf's law, as files list
            frequent words first.
        remove_component_of: texts; the first principal direction of their vectors is taken out
            of every vector. "words" needs no texts: the mean direction of words drawn by p(w),
            which that of many texts comes near to.
        lower_case: whether texts are lowered; where None, they are if all words are.

    Returns:
        A table of a row a word, in the order of the file, and the row of unknown words last.

    Raises:
        InputError: no word of the file can stand in a text, or an option is out of range.
    """
    if sif is not None and not 0 < sif < np.inf:
        problem = f"a of the weights a / (a + p) must be over 0 and finite, found {sif}"
        raise InputError(problem, mend="1e-3 is usual")
    found, rust, notes = _findable(vectors, lower_case)
    tokenizer = Tokenizer(rust, max_tokens=len(found.words) + 1, empty_id=len(found.words))
    table = np.vstack([found.vectors, np.zeros_like(found.vectors[:1])])  # [V, H]
    frequencies, source = _frequencies(found, tokenizer, frequencies_of)
    if sif is not None:
        table *= (sif / (sif + frequencies))[:, None].astype(np.float32)
        notes.append(f"words count by {sif:g} / ({sif:g} + p), with p by {source}")
    if remove_component_of is not None:
        table = _without_component(table, frequencies, tokenizer, remove_component_of)
        common = "words" if isinstance(remove_component_of, str) else "texts"
        notes.append(f"the direction that all {common} have in common was taken out")
    return ModelFolder(
        config=static_config(*table.shape),
        weights={WEIGHT: torch.from_numpy(np.ascontiguousarray(table, dtype=np.float32))},
        files={FAST: rust.to_str().encode()},
        notes=(*vectors.notes, *notes),
    )


def find_words(
    texts: Iterable[Sequence[str]],
    *,
    min_count: int = 1,
    most: int = 2**31,
    lower_case: bool = True,
) -> list[str]:
    """The words that the tokenizer of a static encoder cuts texts into, the most frequent first.

    Args:
        texts: some of them at a time, so that no more than that is ever in memory.
        min_count: leave out words that stand less often.
        most: words at the most.
        lower_case: lower the texts first, so that a word is the same in any case.
    """
    tokenizer = word_tokenizer((), lower_case=lower_case)
    trainer = WordLevelTrainer(
        vocab_size=most + 1, min_frequency=min_count, show_progress=False, special_tokens=[UNKNOWN]
    )
    tokenizer.train_from_iterator(texts, trainer)
    found = tokenizer.get_vocab()
    return sorted(found.keys() - {UNKNOWN}, key=found.__getitem__)


def word_tokenizer(words: Sequence[str], *, lower_case: bool) -> RustTokenizer:
    """Cuts texts into runs of letters and digits, and every other sign by itself.

    Args:
        words: with ids from 0 in this order; any other word is the unknown one, behind them.
        lower_case: lower the texts first.
    """
    vocabulary = {word: i for i, word in enumerate(words)} | {UNKNOWN: len(words)}
    tokenizer = RustTokenizer(WordLevel(vocabulary, unk_token=UNKNOWN))
    steps = [normalizers.NFC(), *([normalizers.Lowercase()] if lower_case else [])]
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(PIECES), "removed", invert=True)
    return tokenizer


def _findable(
    vectors: WordVectors, lower_case: bool | None
) -> tuple[WordVectors, RustTokenizer, list[str]]:
    """Only the words that a text can be cut into, the tokenizer over them, and notes."""
    lowered, notes = bool(lower_case), list[str]()
    if lower_case is None:
        lowered = all(word == word.lower() for word in vectors.words)
        said = f"all {len(vectors.words):,} words are lower case, and so texts are lowered"
        notes = [said] if lowered else []
    tokenizer = word_tokenizer(vectors.words, lower_case=lowered)
    pieces = tokenizer.encode_batch_fast(vectors.words)
    kept = [i for i, piece in enumerate(pieces) if piece.ids == [i]]
    lost = len(vectors.words) - len(kept)
    if not kept:
        problem = f'no word can be found in a text: all have signs inside, as "{vectors.words[0]}"'
        raise InputError(problem, mend="give vectors of words, not of phrases")
    if not lost:
        return vectors, tokenizer, notes
    example = next(vectors.words[i] for i, piece in enumerate(pieces) if piece.ids != [i])
    signs = "have signs or spaces inside, where texts are cut"
    notes.append(f'{lost:,} words {signs}, as "{example}", and are left out')
    found = vectors.take(kept)
    return found, word_tokenizer(found.words, lower_case=lowered), notes


def _frequencies(
    vectors: WordVectors, tokenizer: Tokenizer, texts: Sequence[str] | None
) -> tuple[NDArray[np.float64], str]:
    """[V] p of each word and of the unknown one, which counts for nothing; and where from."""
    if texts is None and vectors.counts is not None:
        known = np.append(vectors.counts, 0) / max(vectors.counts.sum(), 1)
        return known, "their counts in the texts that they were learnt from"
    if texts is None:
        harmonic = (1 / np.arange(1, vectors.ranks.max() + 1)).sum()
        return np.append(1 / (vectors.ranks * harmonic), 0.0), "the words' order in the file"
    ids = np.concatenate(_ids(tokenizer, texts, "count words in"))
    counts = np.bincount(ids, minlength=len(vectors.words) + 1).astype(np.float64)
    counts[-1] = 0
    if not counts.any():
        raise InputError("the texts have none of the words", mend="give texts of their language")
    return counts / counts.sum(), f"their counts in {len(texts):,} texts"


def _without_component(
    table: NDArray[np.float32],
    frequencies: NDArray[np.float64],
    tokenizer: Tokenizer,
    source: Component,
) -> NDArray[np.float32]:
    """(I - u u^T) v for every row v, with u the first right singular vector of the sentences.

    For "words", u is the mean of the words by frequency: a text's vector is a mean of many words,
    so that this mean is most of what texts have in common.
    """
    if isinstance(source, str):
        if source != "words":
            problem = f'expected texts or "words", found "{source}"'
            raise InputError(problem, mend="give a list of texts")
        means = frequencies[None, :] @ table.astype(np.float64)
    else:
        ids = _ids(tokenizer, source, "find the common component of")
        means = np.stack([table[text].mean(axis=0, dtype=np.float64) for text in ids])
    values, directions = np.linalg.eigh(means.T @ means)  # of growing size
    if values[-1] <= 0:
        raise InputError("the texts have none of the words", mend="give texts of their language")
    u = directions[:, -1]
    return (table - np.outer(table @ u, u)).astype(np.float32)


def _ids(tokenizer: Tokenizer, texts: Sequence[str], why: str) -> list[NDArray[np.int32]]:
    if isinstance(texts, str) or not len(texts):
        found = "one string" if isinstance(texts, str) else "none"
        raise InputError(f"expected texts to {why}, found {found}", mend="give a list of texts")
    return tokenizer.tokenize(texts).ids
