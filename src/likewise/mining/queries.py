"""Queries cut out of passages: titles, leading sentences, key phrases. No model is asked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from likewise.data.clusters import normalise
from likewise.mining.key_phrases import WORD, KeyPhrases
from likewise.mining.sentences import sentence_spans
from likewise.progress import progress as show_progress

Source: TypeAlias = Literal[
    "title", "leading sentence", "sentence", "key phrases", "generated", "given"
]

LONGEST = 64  # words of a query
FEWEST_TOLD = 2  # telling words of a title or a sentence that may be a query
FEWEST_LEFT = 5  # words that are left of a passage when its query is taken out


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query and the passage that answers it.

    Attributes:
        text: of the query.
        passage: its place.
        source: where the query is from.
        start: of the part of the passage that is taken out where the two are shown together.
        end: of it; equal to `start` where nothing is.
    """

    text: str
    passage: int
    source: Source
    start: int = 0
    end: int = 0

    def shown(self, passage: str) -> str:
        """The passage as it is shown with this query.

        >>> query = Query(text="A title", passage=0, source="title", end=7)
        >>> query.shown("A title and its body")
        'and its body'
        """
        if self.start == self.end:
            return passage
        parts = (passage[: self.start].rstrip(), passage[self.end :].lstrip())
        return " ".join(part for part in parts if part)


def extractive_queries(
    passages: Sequence[str],
    *,
    titles: Sequence[str] | None = None,
    count: int = 3,
    keep: float = 0.1,
    seed: int,
    progress: bool = False,
) -> list[Query]:
    """Take a few queries out of every passage, by signs and by tf-idf.

    In this order: the title, the leading sentence, the best key phrases, the most telling of the
    other sentences, the next key phrases, the next sentence, and so on. A title or a sentence is
    taken out of the passage that is shown with it, except in a share `keep`: the inverse cloze
    task of Lee et al. 2019 (section 4.1), which keeps one in ten so that the same words still
    count. Key phrases stay where they are: without them the passage would be no text.

    Args:
        passages: n texts.
        titles: [n] how each passage begins, "" where it has no title; None where none has.
        count: queries of a passage, at most; short passages have fewer, or none.
        keep: share of titles and sentences that stay in their passage, from 0 to 1.
        seed: of which ones.
        progress: show a bar.

    Returns:
        In the order of the passages; no passage has the same query twice, or itself.

    >>> passage = "The bridge was closed for repairs. Trains now take another way to the town."
    >>> for query in extractive_queries([passage, "another"], keep=0.0, seed=0):
    ...     print(f"{query.source}: {query.text}")
    leading sentence: The bridge was closed for repairs.
    key phrases: bridge closed take another way
    sentence: Trains now take another way to the town.
    """
    phrases = KeyPhrases(passages)
    rng = np.random.default_rng(seed)
    found = []
    with show_progress("taking queries", len(passages), shown=progress) as advance:
        for place, passage in enumerate(passages):
            title = "" if titles is None else titles[place]
            for query in _first(_candidates(place, passage, title, phrases), passage, count):
                is_kept = rng.random() < keep and query.end > query.start
                found.append(_untouched(query) if is_kept else query)
            advance(1)
    return found


def _untouched(query: Query) -> Query:
    return Query(text=query.text, passage=query.passage, source=query.source)


def _first(candidates: Iterator[Query], passage: str, count: int) -> list[Query]:
    """The first `count` that differ from one another and from the passage."""
    seen = {normalise(passage)}
    kept: list[Query] = []
    for query in candidates:
        if len(kept) == count:
            break
        key = normalise(query.text)
        if key not in seen:
            seen.add(key)
            kept.append(query)
    return kept


def _candidates(place: int, passage: str, title: str, phrases: KeyPhrases) -> Iterator[Query]:
    """All queries of a passage, the best first."""
    body = len(title) if title and passage.startswith(title) else 0
    if body:
        yield from _spans(place, passage, [(0, body)], "title", phrases)
    lead, *others = [
        (body + start, body + end) for start, end in sentence_spans(passage[body:])
    ] or [(0, 0)]
    yield from _spans(place, passage, [lead], "leading sentence", phrases)
    for text in phrases.queries(passage):
        yield Query(text=text, passage=place, source="key phrases")
        if others:
            best = max(others, key=lambda span: phrases.weight(passage[slice(*span)]))
            others.remove(best)
            yield from _spans(place, passage, [best], "sentence", phrases)
    others.sort(key=lambda span: phrases.weight(passage[slice(*span)]), reverse=True)
    yield from _spans(place, passage, others, "sentence", phrases)


def _spans(
    place: int,
    passage: str,
    spans: Sequence[tuple[int, int]],
    source: Source,
    phrases: KeyPhrases,
) -> Iterator[Query]:
    """Those parts of a passage that tell something and leave something to be found."""
    for start, end in spans:
        words = list(WORD.finditer(passage, start, end))
        if len(words) > LONGEST:
            end = words[LONGEST - 1].end()
        text = passage[start:end]
        query = Query(text=text, passage=place, source=source, start=start, end=end)
        left = sum(1 for _ in WORD.finditer(query.shown(passage)))
        if left >= FEWEST_LEFT and len(set(phrases.telling(text))) >= FEWEST_TOLD:
            yield query
