"""How long the texts are, in characters and words."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from likewise.data.checks.finding import Data, Finding
from likewise.data.dataset import Dataset

TOKENS_PER_WORD = 1.3  # English in a word-piece vocabulary of 30,000; code and others run higher
USUAL_LIMIT = 256  # tokens, all-MiniLM-L6-v2
CHARACTERS_PER_TOKEN = 4.5


def check_lengths(data: Data, others: Sequence[Data] = ()) -> list[Finding]:
    """Median and longest text of each role, and an estimate of what a usual limit would cut.

    Args:
        data: of any kind.
        others: not used; with a model, `text.audit` counts tokens instead of guessing.
    """
    return [
        _finding(name, column.combine_chunks() if len(column.chunks) == 1 else column)
        for name, column in _text_columns(data).items()
        if len(column)
    ]


def _text_columns(data: Data) -> dict[str, pa.ChunkedArray]:
    import pyarrow.compute as pc

    if not isinstance(data, Dataset):
        return {
            name: pa.chunked_array([pa.array(texts, type=pa.large_string())])
            for name, texts in (("query", data.queries), ("document", data.documents))
        }
    columns = {}
    for role in data.text_roles():
        column = data.table.column(role)
        is_list = pa.types.is_large_list(column.type)
        columns[role] = (pc.list_flatten(column) if is_list else column).drop_null()
    return columns


def _finding(name: str, column: pa.ChunkedArray) -> Finding:
    import pyarrow.compute as pc

    characters: NDArray[np.int64] = np.asarray(pc.utf8_length(column))
    words: NDArray[np.int64] = np.asarray(pc.count_substring(column, " ")) + 1
    tokens = np.maximum(words * TOKENS_PER_WORD, characters / CHARACTERS_PER_TOKEN)
    long = int((tokens > USUAL_LIMIT).sum())
    text = (
        f"{name}: median {np.median(characters):,.0f} characters ({np.median(words):,.0f} words), "
        f"95 % up to {np.percentile(characters, 95):,.0f}, longest {characters.max():,}; "
        f"about {long:,} of {len(characters):,} over {USUAL_LIMIT} tokens (estimated)"
    )
    facts = {
        "texts": len(characters),
        "median_characters": float(np.median(characters)),
        "median_words": float(np.median(words)),
        "p95_characters": float(np.percentile(characters, 95)),
        "longest_characters": int(characters.max()),
        f"estimated_over_{USUAL_LIMIT}_tokens": long,
    }
    return Finding(level="note", text=text, count=len(characters), facts=facts)
