"""Who asks, what is there to be found, and what is known to be right."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from likewise.data.clusters import dense_ids, places_of, text_keys
from likewise.data.dataset import Dataset
from likewise.errors import InputError
from likewise.mining.neighbours import Groups, Pairs


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The distinct anchors of n rows, and the distinct documents that may be their negatives.

    Texts are distinct but for case, punctuation and white space.

    Attributes:
        anchors: Q texts.
        documents: N texts: the positives of all rows, then the further ones.
        anchor: [n] the anchor of each row.
        positives: [p, 2] row and document, in the order of the rows.
        own: [m, 2] row and document: the negatives that the row has already.
        known: [k, 2] anchor and document that is right for it, in the order of the anchors: the
            positives of all rows with that anchor, the anchor itself, and what has the anchor as
            its own positive.
        groups: of the anchors [Q] and the documents [N], where rows have them; -1 for none.
        repeats: texts that were given and stand among the documents already.
    """

    anchors: list[str]
    documents: list[str]
    anchor: NDArray[np.int64]
    positives: Pairs
    own: Pairs
    known: Pairs
    groups: Groups | None
    repeats: int

    def __len__(self) -> int:
        return len(self.anchor)

    def is_known(self, anchors: Pairs, documents: Pairs) -> NDArray[np.bool_]:
        """Where a document is right for an anchor, or of its group; any shapes that broadcast."""
        known = _are_among(anchors * len(self.documents) + documents, self._known_codes)
        if self.groups is not None:
            known |= self.groups[0][anchors] == self.groups[1][documents]
        return known

    def is_own(self, rows: Pairs, documents: Pairs) -> NDArray[np.bool_]:
        """Where a row has a document as its negative already; any shapes that broadcast."""
        return _are_among(rows * len(self.documents) + documents, self._own_codes)

    @cached_property
    def _known_codes(self) -> NDArray[np.int64]:
        codes: NDArray[np.int64] = self.known[:, 0] * len(self.documents) + self.known[:, 1]
        return codes

    @cached_property
    def _own_codes(self) -> NDArray[np.int64]:
        return np.sort(self.own[:, 0] * len(self.documents) + self.own[:, 1])


def pool_of(pairs: Dataset, corpus: Sequence[str] = ()) -> Pool:
    """Gather the distinct texts of pairs and of a corpus.

    Args:
        pairs: of kind "pairs", n rows.
        corpus: further documents.

    Raises:
        InputError: a document of the corpus is empty.
    """
    _refuse_empty(corpus)
    asking = pairs.texts("anchor")
    lists = pairs.text_lists("positive")
    flat = [text for texts in lists for text in texts]
    row_of = np.repeat(np.arange(len(lists)), [len(texts) for texts in lists])
    keys = text_keys(_chain(flat, corpus))
    ids, first = _numbered(keys)
    anchor_keys = text_keys(asking)
    anchor, first_row = _numbered(anchor_keys)
    positives = np.stack([row_of, ids[: len(flat)]], axis=1)
    document_keys, asked_keys = keys[first], anchor_keys[first_row]
    itself = places_of(asked_keys, document_keys)
    turned = places_of(document_keys, asked_keys)  # documents that are anchors too
    known = np.concatenate(
        [
            np.stack([anchor[row_of], positives[:, 1]], axis=1),
            np.stack([np.arange(len(itself)), itself], axis=1),
            np.stack([turned[positives[:, 1]], itself[anchor[row_of]]], axis=1),
        ]
    )
    return Pool(
        anchors=[asking[i] for i in first_row.tolist()],
        documents=[(flat[i] if i < len(flat) else corpus[i - len(flat)]) for i in first.tolist()],
        anchor=anchor,
        positives=positives,
        own=_own(pairs, document_keys),
        known=np.unique(known[(known >= 0).all(axis=1)], axis=0),
        groups=_groups(pairs, first_row, row_of, first),
        repeats=len(keys) - len(first),
    )


def _are_among(codes: NDArray[np.int64], ascending: NDArray[np.int64]) -> NDArray[np.bool_]:
    if not len(ascending):
        return np.zeros(codes.shape, dtype=bool)
    at = np.searchsorted(ascending, codes).clip(max=len(ascending) - 1)
    found: NDArray[np.bool_] = ascending[at] == codes
    return found


def _chain(*parts: Iterable[str]) -> Iterable[str]:
    for part in parts:
        yield from part


def _numbered(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """[n] the number of each key in order of appearance, and where each number first stands."""
    ids = dense_ids(keys)
    return ids, np.unique(ids, return_index=True)[1].astype(np.int64)


def _refuse_empty(corpus: Sequence[str]) -> None:
    for i, text in enumerate(corpus, 1):
        if not text.strip():
            problem = f"text {i:,} of {len(corpus):,} of the corpus is empty"
            raise InputError(problem, mend="fill it in, or leave it out")


def _own(pairs: Dataset, document_keys: NDArray[np.int64]) -> Pairs:
    if "negative" not in pairs.roles:
        return np.empty((0, 2), dtype=np.int64)
    own = pairs.keys["negative"]
    places = places_of(own.keys, document_keys)
    return np.stack([own.rows, places], axis=1)[places >= 0]


def _groups(
    pairs: Dataset,
    first_row: NDArray[np.int64],
    row_of: NDArray[np.int64],
    first: NDArray[np.int64],
) -> Groups | None:
    if "group" not in pairs.roles:
        return None
    of_row = pairs.numbers("group").astype(np.int64)
    of_document = np.full(len(first), -1)
    given = first < len(row_of)
    of_document[given] = of_row[row_of[first[given]]]
    return of_row[first_row], of_document
