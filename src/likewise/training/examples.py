"""A data set ready to train on: distinct texts tokenised once, rows as indices into them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likewise.data.clusters import cluster_ids
from likewise.data.dataset import Dataset
from likewise.models.encoder import Encoder
from likewise.text.tokenizer import Tokenized

# Roles whose texts are found, and so take the document prompt; every other role asks.
DOCUMENT_ROLES = frozenset({"positive", "negative"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """n rows over M distinct (prompt, text) entries.

    Attributes:
        ids: M arrays of token ids.
        prompt_tokens: [M] leading tokens of a prompt that the pooling leaves out; 0 where it
            takes the prompt in.
        cluster: [M] near-duplicate cluster of each text, whatever its prompt.
        columns: role to [n, k] entries; -1 where a row has fewer than k.
        values: "score" or "label" to [n].
        cut: role to how many of its distinct texts lost their end at the length limit.
        data: where the rows came from.
    """

    ids: list[NDArray[np.int32]]
    prompt_tokens: NDArray[np.int64]
    cluster: NDArray[np.int64]
    columns: dict[str, NDArray[np.int64]]
    values: dict[str, NDArray[np.float64] | NDArray[np.int64]]
    cut: dict[str, int]
    data: Dataset

    def __len__(self) -> int:
        return len(self.data)

    @property
    def row_tokens(self) -> float:
        """Mean tokens a row, repeats within a row counted once."""
        lengths = np.append([len(text) for text in self.ids], 0)
        return float(sum(lengths[column].sum() for column in self.columns.values()) / len(self))


def build_examples(encoder: Encoder, data: Dataset, *, max_tokens: int | None = None) -> Examples:
    """Tokenise every distinct text once and bind the rows to them.

    Args:
        encoder: gives the tokenizer and the prompts "query" and "document", if it has them.
        data: pairs, scored pairs, NLI rows or pair labels.
        max_tokens: a limit below the model's own.
    """
    texts: dict[tuple[str, str], int] = {}
    columns, prompts = {}, {}
    for role in data.text_roles():
        prompts[role] = _prompt(encoder, role, data.kind)
        lists = data.text_lists(role)
        width = max((len(row) for row in lists), default=1)
        column = np.full((len(lists), width), -1, dtype=np.int64)
        for i, row in enumerate(lists):
            for j, text in enumerate(row):
                column[i, j] = texts.setdefault((prompts[role], text), len(texts))
        columns[role] = column
    ids: list[NDArray[np.int32]] = [np.empty(0, np.int32)] * len(texts)
    prompt_tokens = np.zeros(len(texts), dtype=np.int64)
    limit = min(max_tokens or encoder.max_tokens, encoder.max_tokens)
    for prompt in dict.fromkeys(prompts.values()):
        chosen = [(text, place) for (own, text), place in texts.items() if own == prompt]
        found = encoder.tokenizer.tokenize([t for t, _ in chosen], prompt=prompt, max_tokens=limit)
        _place(found, [place for _, place in chosen], ids, prompt_tokens)
    if encoder.contents.pooling.include_prompt:
        prompt_tokens[:] = 0
    values = {role: _values(data, role) for role in data.roles if role in {"score", "label"}}
    lengths = encoder.tokenizer.count([prompt + text for prompt, text in texts]) > limit
    return Examples(
        ids=ids,
        prompt_tokens=prompt_tokens,
        cluster=cluster_ids([text for _, text in texts]),
        columns=columns,
        values=values,
        cut={r: int(lengths[np.unique(c[c >= 0])].sum()) for r, c in columns.items()},
        data=data,
    )


def _place(
    found: Tokenized,
    places: list[int],
    ids: list[NDArray[np.int32]],
    prompt_tokens: NDArray[np.int64],
) -> None:
    for place, text in zip(places, found.ids, strict=True):
        ids[place] = text
    prompt_tokens[places] = found.prompt_tokens


def _prompt(encoder: Encoder, role: str, kind: str) -> str:
    """The prompt that inference will use for this role, so that both see the same text."""
    if kind == "pairs":
        name = "document" if role in DOCUMENT_ROLES else "query"
        if name in encoder.prompts:
            return encoder.prompts[name]
    return encoder.prompt_text(None)


def _values(data: Dataset, role: str) -> NDArray[np.float64] | NDArray[np.int64]:
    if role == "score":
        return _unit_scores(data)
    return np.asarray(data.labels(role), dtype=np.int64)


def _unit_scores(data: Dataset) -> NDArray[np.float64]:
    """Scores as cosines to aim at: from 0 to 1, or as they are where their range is -1 to 1."""
    scores = data.numbers("score")
    low, high = data.score_range or (0.0, 1.0)
    return scores if -1 <= low < 0 and high <= 1 else (scores - low) / (high - low)
