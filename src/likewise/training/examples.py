"""A data set ready to train on: distinct texts tokenised once, rows as indices into them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from likewise.data.clusters import cluster_ids
from likewise.data.dataset import Dataset
from likewise.losses.spec import TARGETS
from likewise.models.encoder import Encoder

# Roles whose texts are found, and so take the document prompt; every other role asks.
DOCUMENT_ROLES = frozenset({"positive", "negative", "candidates"})
ASKING_KINDS = frozenset({"pairs", "distilled"})
GROUP = "group"


class Prompted(Protocol):
    """What has prompts: an encoder, or a guide."""

    @property
    def prompts(self) -> dict[str, str]:
        """Prompt texts by name."""

    def prompt_text(self, prompt: str | None) -> str:
        """The text of a prompt given by name, by its own text, or None for the default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """n rows over M distinct (prompt, text) entries.

    Attributes:
        ids: M arrays of token ids.
        prompt_tokens: [M] leading tokens of a prompt that the pooling leaves out; 0 where it
            takes the prompt in.
        cluster: [M] near-duplicate cluster of each text, whatever its prompt.
        columns: role to [n, k] entries; -1 where a row has fewer than k.
        values: "score" or "label" to [n], "scores" to [n, C].
        texts: [M] the texts themselves.
        prompts: role to the prompt in front of its texts.
        answers: near-duplicate cluster of an anchor to those of all its positives, wherever they
            stand; only anchors that have several.
        group: [n] rows of one group are no negatives of one another; None where there are none.
        cut: role to how many of its distinct texts lost their end at the length limit.
        row_tokens: about how many tokens a row brings to a step.
        data: where the rows came from.
    """

    ids: list[NDArray[np.int32]]
    prompt_tokens: NDArray[np.int64]
    cluster: NDArray[np.int64]
    columns: dict[str, NDArray[np.int64]]
    values: dict[str, NDArray[np.float64] | NDArray[np.int64]]
    texts: pa.Array
    prompts: dict[str, str]
    answers: dict[int, NDArray[np.int64]]
    group: NDArray[np.int64] | None
    cut: dict[str, int]
    row_tokens: float
    data: Dataset

    def __len__(self) -> int:
        return len(self.data)


def build_examples(encoder: Encoder, data: Dataset, *, max_tokens: int | None = None) -> Examples:
    """Tokenise every distinct text once and bind the rows to them.

    Args:
        encoder: gives the tokenizer and the prompts "query" and "document", if it has them.
        data: of any kind; all its text columns are taken.
        max_tokens: a limit below the model's own.
    """
    prompts = {role: prompt_of(encoder, role, data.kind) for role in data.text_roles()}
    texts, columns = index_texts(data, prompts)
    ids: list[NDArray[np.int32]] = [np.empty(0, np.int32)] * len(texts)
    prompt_tokens = np.zeros(len(texts), dtype=np.int64)
    is_cut = np.zeros(len(texts), dtype=bool)
    limit = min(max_tokens or encoder.max_tokens, encoder.max_tokens)
    for prompt in dict.fromkeys(prompts.values()):
        chosen = [(text, place) for (own, text), place in texts.items() if own == prompt]
        places = [place for _, place in chosen]
        found = encoder.tokenizer.tokenize([t for t, _ in chosen], prompt=prompt, max_tokens=limit)
        for place, own in zip(places, found.ids, strict=True):
            ids[place] = own
        prompt_tokens[places] = found.prompt_tokens
        is_cut[places] = found.is_cut
    if encoder.contents.pooling.include_prompt:
        prompt_tokens[:] = 0
    cut = {role: int(is_cut[np.unique(c[c >= 0])].sum()) for role, c in columns.items()}
    lengths = np.append([len(text) for text in ids], 0)  # of an absent text, which -1 picks
    tokens = float(sum(lengths[column].sum() for column in columns.values()))
    examples = bind_examples(
        data, ids, texts, columns, prompts, cut=cut, row_tokens=tokens / len(data)
    )
    return replace(examples, prompt_tokens=prompt_tokens)


Texts: TypeAlias = dict[tuple[str, str], int]  # (prompt, text) to its place among the M


def index_texts(
    data: Dataset, prompts: Mapping[str, str]
) -> tuple[Texts, dict[str, NDArray[np.int64]]]:
    """Number the distinct texts, and give each row's by role.

    Args:
        data: n rows.
        prompts: text role to the prompt in front of its texts.

    Returns:
        Each (prompt, text) with its number, and role to [n, k] numbers, -1 where a row has fewer.
    """
    texts: Texts = {}
    columns = {}
    for role, prompt in prompts.items():
        lists = data.text_lists(role)
        width = max((len(row) for row in lists), default=1)
        column = np.full((len(lists), width), -1, dtype=np.int64)
        for i, row in enumerate(lists):
            for j, text in enumerate(row):
                column[i, j] = texts.setdefault((prompt, text), len(texts))
        columns[role] = column
    return texts, columns


def bind_examples(
    data: Dataset,
    ids: list[NDArray[np.int32]],
    texts: Texts,
    columns: dict[str, NDArray[np.int64]],
    prompts: Mapping[str, str],
    *,
    cut: dict[str, int],
    row_tokens: float,
) -> Examples:
    """Put tokenised texts and what the data says of its rows together; prompts are pooled."""
    plain = [text for _, text in texts]
    cluster = cluster_ids(plain)
    targets = [role for role in data.roles if role in TARGETS]
    return Examples(
        ids=ids,
        prompt_tokens=np.zeros(len(texts), np.int64),
        cluster=cluster,
        columns=columns,
        values={role: _values(data, role) for role in targets},
        texts=pa.array(plain, pa.large_string()),
        prompts=dict(prompts),
        answers=_answers(columns, cluster),
        group=data.numbers(GROUP).astype(np.int64) if GROUP in data.roles else None,
        cut=cut,
        row_tokens=row_tokens,
        data=data,
    )


def _answers(
    columns: Mapping[str, NDArray[np.int64]], cluster: NDArray[np.int64]
) -> dict[int, NDArray[np.int64]]:
    """The answers of every anchor that has several, by cluster."""
    if not {"anchor", "positive"} <= columns.keys():
        return {}
    owners, places = np.nonzero(columns["positive"] >= 0)
    anchors = columns["anchor"][owners, 0]
    return known_answers(cluster[anchors], cluster[columns["positive"][owners, places]])


def known_answers(
    anchors: NDArray[np.int64], positives: NDArray[np.int64]
) -> dict[int, NDArray[np.int64]]:
    """Every positive of the anchors that have more than one, over the whole data.

    Args:
        anchors: [m] near-duplicate cluster of the anchor of each pair.
        positives: [m] that of its positive.

    Returns:
        Anchor cluster to its positive clusters, sorted.

    >>> {k: v.tolist() for k, v in known_answers(np.array([0, 0, 1]), np.array([5, 6, 7])).items()}
    {0: [5, 6]}
    """
    if not len(anchors):
        return {}
    span = int(positives.max()) + 1
    pairs = np.unique(anchors.astype(np.int64) * span + positives)
    anchor, positive = np.divmod(pairs, span)
    first = np.flatnonzero(np.r_[True, anchor[1:] != anchor[:-1]])
    ends = np.r_[first[1:], len(pairs)]
    several = ends - first > 1
    return {
        int(anchor[start]): positive[start:end]
        for start, end in zip(first[several], ends[several], strict=True)
    }


def prompt_of(model: Prompted, role: str, kind: str) -> str:
    """The prompt that inference will use for this role, so that both see the same text."""
    if kind in ASKING_KINDS:
        name = "document" if role in DOCUMENT_ROLES else "query"
        if name in model.prompts:
            return model.prompts[name]
    return model.prompt_text(None)


def _values(data: Dataset, role: str) -> NDArray[np.float64] | NDArray[np.int64]:
    if role == "score":
        return unit_scores(data)
    if role == "scores":
        return data.score_lists(role)
    labels = data.labels(role)
    if labels and isinstance(labels[0], str):  # any set of labels: numbered in sorted order
        return np.unique(np.asarray(labels), return_inverse=True)[1].astype(np.int64)
    return np.asarray(labels, dtype=np.int64)


def unit_scores(data: Dataset) -> NDArray[np.float64]:
    """Scores as cosines to aim at: from 0 to 1, or as they are where their range is -1 to 1."""
    scores = data.numbers("score")
    low, high = data.score_range or (0.0, 1.0)
    return scores if -1 <= low < 0 and high <= 1 else (scores - low) / (high - low)
