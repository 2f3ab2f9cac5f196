"""Plain texts ready to train on: tokenised once, into a file that memory maps."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from likewise.data.dataset import Dataset
from likewise.models.encoder import Encoder
from likewise.training.batch import Batch
from likewise.training.examples import prompt_of
from likewise.training.feed import Feed, FeedOf
from likewise.training.options import TrainingOptions

ROLE = "text"
CHUNK = 16_384  # texts that are Python objects at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRows:
    """n texts as one long row of token ids.

    Attributes:
        tokens: [T] int32, special tokens included, in a file that is gone with this object.
        starts: [n + 1] int64; text i is `tokens[starts[i]:starts[i + 1]]`, never empty.
        prompt_tokens: leading tokens of every text that pooling leaves out.
        cut: texts that lost their end at the length limit.
        data: where they came from: its row i is text i.
    """

    tokens: NDArray[np.int32]
    starts: NDArray[np.int64]
    prompt_tokens: int
    cut: int
    data: Dataset

    def __len__(self) -> int:
        return len(self.starts) - 1

    def ids(self, row: int) -> NDArray[np.int32]:
        """The token ids of one text."""
        return self.tokens[self.starts[row] : self.starts[row + 1]]

    def lengths(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """[B] tokens of some texts."""
        return self.starts[rows + 1] - self.starts[rows]


def text_chunks(data: Dataset) -> Iterator[list[str]]:
    """The texts in order, some at a time, so that no more are ever Python objects.

    Args:
        data: of kind "texts".
    """
    column = data.table[ROLE]
    for first in range(0, len(data), CHUNK):
        yield column.slice(first, CHUNK).to_pylist()


def tokenise_texts(encoder: Encoder, data: Dataset, *, max_tokens: int | None = None) -> TextRows:
    """Tokenise texts chunk by chunk, so that no more than a chunk is ever in memory.

    Args:
        encoder: gives the tokenizer and the prompt of the texts, if it has one.
        data: of kind "texts", n rows.
        max_tokens: a limit below the model's own.
    """
    prompt = prompt_of(encoder, ROLE, data.kind)
    limit = min(max_tokens or encoder.max_tokens, encoder.max_tokens)
    starts = np.zeros(len(data) + 1, dtype=np.int64)
    done = cut = prompt_tokens = 0
    with tempfile.TemporaryFile() as file:
        for texts in text_chunks(data):
            found = encoder.tokenizer.tokenize(texts, prompt=prompt, max_tokens=limit)
            np.concatenate(found.ids).tofile(file)
            starts[done + 1 : done + 1 + len(texts)] = found.lengths
            done += len(texts)
            cut += found.cut
            prompt_tokens = found.prompt_tokens
        np.cumsum(starts, out=starts)
        file.flush()
        tokens = np.memmap(file, dtype=np.int32, mode="r")  # keeps the file open, and so alive
    pooled = encoder.contents.pooling.include_prompt
    return TextRows(
        tokens=tokens,
        starts=starts,
        prompt_tokens=0 if pooled else prompt_tokens,
        cut=cut,
        data=data,
    )


CollateTexts: TypeAlias = Callable[[TextRows, NDArray[np.int64], int], Batch]


def text_feed(collate: CollateTexts, *, copies: float = 1.0) -> FeedOf:
    """Feed a model with plain texts.

    Args:
        collate: the texts, [B] rows of them and the step, from 0, to a batch.
        copies: how many texts of a row's length a row brings to a step.
    """

    def feed(encoder: Encoder, data: Dataset, options: TrainingOptions) -> Feed:
        rows = tokenise_texts(encoder, data, max_tokens=options.max_tokens)
        return Feed(
            rows=len(rows),
            texts=len(rows),
            row_tokens=copies * len(rows.tokens) / len(rows),
            collate=lambda chosen, step: collate(rows, chosen, step),
            where=data.where,
            cut={ROLE: rows.cut},
        )

    return feed
