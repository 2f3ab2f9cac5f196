"""Negatives beside pairs: dealt from wrong answers, or drawn at random."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from likewise.data.clusters import cluster_ids, dense_ids
from likewise.data.dataset import Dataset, Note

ROUNDS = 16  # of drawing again what collides; then what may be drawn is listed, row by row


def with_negatives(pairs: Dataset, negatives: Sequence[Sequence[str]]) -> Dataset:
    """The same pairs with these negatives behind those that they have.

    Args:
        pairs: n rows.
        negatives: [n] lists of texts, some perhaps empty.

    Returns:
        Kind "pairs"; one text a row as long as no row has two, null where it has none.
    """
    own = pairs.text_lists("negative") if "negative" in pairs.roles else [[] for _ in negatives]
    lists = [[*before, *more] for before, more in zip(own, negatives, strict=True)]
    if not any(lists):
        return pairs
    if max(map(len, lists)) == 1:
        column = pa.array([row[0] if row else None for row in lists], type=pa.large_string())
    else:
        column = pa.array([row or None for row in lists], type=pa.large_list(pa.large_string()))
    columns = {role: pairs.table.column(role) for role in ("anchor", "positive")}
    columns["negative"] = column
    rest = {role: pairs.table.column(role) for role in pairs.roles if role not in columns}
    named = {"negative": pairs.columns.get("positive", "positive"), **pairs.columns}
    return replace(pairs, table=pa.table({**columns, **rest}), columns=named)


def with_easy_negatives(pairs: Dataset, *, seed: int) -> Dataset:
    """Give every pair one more negative: an answer of another row, drawn at random.

    The soft negatives of "Hands-On Large Language Models", chapter 10. None is, but for case,
    punctuation and white space, a positive of the same anchor, the anchor itself, a negative that
    the row has already, or of the row's own group.

    Args:
        pairs: n rows.
        seed: of the draw.

    Returns:
        Kind "pairs"; rows to which every answer is right get none, and are counted.
    """
    texts, cluster, rows = _answers(pairs)
    forbidden = _Forbidden(pairs, cluster, rows)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(texts), len(pairs))
    open_rows = np.arange(len(pairs))
    for _ in range(ROUNDS):
        open_rows = open_rows[forbidden(open_rows, drawn[open_rows])]
        if not len(open_rows):
            break
        drawn[open_rows] = rng.integers(0, len(texts), len(open_rows))
    every = np.arange(len(texts))
    for row in open_rows[forbidden(open_rows, drawn[open_rows])].tolist():
        allowed = every[~forbidden(np.full(len(texts), row), every)]
        drawn[row] = rng.choice(allowed) if len(allowed) else -1
    negatives = [[texts[i]] if i >= 0 else [] for i in drawn.tolist()]
    found = int((drawn >= 0).sum())
    notes = [Note(text="pairs got a random answer of another row as negative", count=found)]
    if found < len(pairs):
        text = "pairs got no random negative, as every answer is right for them"
        notes.append(Note(text=text, count=len(pairs) - found))
    return replace(with_negatives(pairs, negatives), notes=(*pairs.notes, *notes))


def deal_negatives(
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
    wrong: tuple[NDArray[np.int64], NDArray[np.int64]],
    *,
    seed: int,
) -> list[int | None]:
    """Deal wrong answers to the pairs of their anchor, in turn.

    Args:
        pairs: clusters of the anchor and the answer of each of n pairs.
        wrong: clusters of the anchor and the answer of each of m wrong pairs.
        seed: which goes to which, where an anchor has several.

    Returns:
        For each pair a place in `wrong`, whose answer is none of the right ones of that anchor;
        None where there is no such.
    """
    right: defaultdict[int, set[int]] = defaultdict(set)
    for anchor, answer in zip(*(side.tolist() for side in pairs), strict=True):
        right[anchor].add(answer)
    anchors, answers = (side.tolist() for side in wrong)
    hands: defaultdict[int, list[int]] = defaultdict(list)
    for place in np.random.default_rng(seed).permutation(len(anchors)).tolist():
        if answers[place] not in right.get(anchors[place], ()):
            hands[anchors[place]].append(place)
    dealt: list[int | None] = []
    turns: defaultdict[int, int] = defaultdict(int)
    for anchor in pairs[0].tolist():
        hand = hands.get(anchor, [])
        dealt.append(hand[turns[anchor] % len(hand)] if hand else None)
        turns[anchor] += 1
    return dealt


def _answers(pairs: Dataset) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """All positives, one after the other: text, cluster and row."""
    lists = pairs.text_lists("positive")
    texts = [text for row in lists for text in row]
    rows = np.repeat(np.arange(len(lists)), [len(row) for row in lists])
    return texts, cluster_ids(texts), rows


class _Forbidden:
    """Says which answers a row may not have as a negative."""

    def __init__(self, pairs: Dataset, cluster: NDArray[np.int64], rows: NDArray[np.int64]) -> None:
        keys = pairs.keys
        anchors = dense_ids(keys["anchor"].keys)
        answers = keys["positive"].keys
        self._cluster = cluster
        self._width = int(cluster.max()) + 1
        self._anchor = anchors
        self._right = np.unique(anchors[rows] * self._width + cluster)
        _, first = np.unique(cluster, return_index=True)
        of_key = dict(zip(answers[first].tolist(), cluster[first].tolist(), strict=True))
        own = [(keys["anchor"].rows, keys["anchor"].keys)]
        if "negative" in keys:
            own.append((keys["negative"].rows, keys["negative"].keys))
        codes = [
            row * self._width + of_key[key]
            for side in own
            for row, key in zip(*(part.tolist() for part in side), strict=True)
            if key in of_key
        ]
        self._own = np.unique(np.array(codes, dtype=np.int64))
        group = pairs.numbers("group") if "group" in pairs.roles else np.arange(len(pairs))
        self._group, self._answer_group = group, group[rows]

    def __call__(self, rows: NDArray[np.int64], answers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """[m] True where row i may not have answer i."""
        cluster = self._cluster[answers]
        right = np.isin(self._anchor[rows] * self._width + cluster, self._right)
        own = np.isin(rows * self._width + cluster, self._own)
        found: NDArray[np.bool_] = right | own | (self._group[rows] == self._answer_group[answers])
        return found
