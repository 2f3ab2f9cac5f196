"""The words that tell one passage from the others, by tf-idf, and the phrases they make."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
LONGEST = 3  # words of a phrase; longer runs are cut
PHRASES = 3  # that make a query
FREQUENT = 0.5  # share of the passages; a word in more of them says nothing of any
FEWEST = 100  # passages; among fewer, a frequent word may still tell


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """A word where it stands."""

    start: int
    end: int
    key: str


class KeyPhrases:
    """What tells each of some passages from the others.

    Phrases are runs of words without a stop word or sign between them, as in RAKE (Rose et al.
    2010); what they are worth is not RAKE's degree but tf-idf (Spärck Jones 1972). Stop words are
    the English ones that bm25s brings, and words that stand in more than half of the passages.
    """

    def __init__(self, passages: Sequence[str]) -> None:
        """Count in how many passages each word stands.

        Args:
            passages: N texts.
        """
        from bm25s.stopwords import STOPWORDS_EN_PLUS

        counts = Counter[str]()
        for passage in passages:
            counts.update({match[0].casefold() for match in WORD.finditer(passage)})
        n = len(passages)
        most = FREQUENT * n if n >= FEWEST else n
        self._stop = {*STOPWORDS_EN_PLUS, *(word for word, df in counts.items() if df > most)}
        # scikit-learn's smooth idf: as if one more passage held every word
        self._idf = {word: math.log((1 + n) / (1 + df)) + 1 for word, df in counts.items()}
        self._unseen = math.log(1 + n) + 1

    def telling(self, text: str) -> list[str]:
        """The words that are no stop words, in lower case and in order."""
        return [word.key for word in self._words(text)]

    def weight(self, text: str) -> float:
        """What a text tells: the idf of its words, added, over the root of their number."""
        words = self.telling(text)
        return sum(map(self._idf_of, words)) / math.sqrt(len(words)) if words else 0.0

    def queries(self, text: str) -> list[str]:
        """The best phrases of a passage, a few to a query; the first query has the best ones.

        Args:
            text: of the passage.

        Returns:
            Phrases in their order in the passage, joined by a space. Each word is in one query at
            most, once, and no query has every telling word of the passage; a query after the
            first has two words or more.

        >>> phrases = KeyPhrases(["How do I repair a violin?", "a river and its bridge"])
        >>> phrases.queries("a river and its bridge")
        ['river']
        """
        words = self._words(text)
        everything = {word.key for word in words}
        ranked = self._ranked(text, words)
        found: list[str] = []
        for first in range(0, len(ranked), PHRASES):
            group = sorted(ranked[first : first + PHRASES], key=lambda run: run[0].start)
            chosen = [word for run in group for word in run]
            if {word.key for word in chosen} == everything:
                chosen = self._less_one(chosen)
            if chosen and (len(chosen) > 1 or not found):
                found.append(" ".join(text[word.start : word.end] for word in chosen))
        return found

    def _words(self, text: str) -> list[_Word]:
        found = (
            _Word(start=match.start(), end=match.end(), key=match[0].casefold())
            for match in WORD.finditer(text)
        )
        return [word for word in found if len(word.key) > 1 and word.key not in self._stop]

    def _ranked(self, text: str, words: list[_Word]) -> list[list[_Word]]:
        """Runs of words, the most telling first, each without what those before have said."""
        times = Counter(word.key for word in words)

        def worth(run: list[_Word]) -> float:
            told = ((1 + math.log(times[word.key])) * self._idf_of(word.key) for word in run)
            return sum(told) / math.sqrt(len(run))

        said: set[str] = set()
        kept = []
        for run in sorted(_runs(text, words), key=worth, reverse=True):  # stable: ties in order
            fresh = list(
                {word.key: word for word in reversed(run) if word.key not in said}.values()
            )
            if fresh:
                kept.append(fresh[::-1])
                said.update(word.key for word in fresh)
        return kept

    def _less_one(self, words: list[_Word]) -> list[_Word]:
        """Without the word that tells least, wherever it stands."""
        least = min((self._idf_of(word.key), -word.start, word.key) for word in words)[2]
        return [word for word in words if word.key != least]

    def _idf_of(self, word: str) -> float:
        return self._idf.get(word, self._unseen)


def _runs(text: str, words: list[_Word]) -> list[list[_Word]]:
    """Neighbours with nothing but white space between them, at most `LONGEST` together."""
    runs: list[list[_Word]] = []
    for word in words:
        last = runs[-1] if runs else []
        if last and len(last) < LONGEST and text[last[-1].end : word.start].isspace():
            last.append(word)
        else:
            runs.append([word])
    return runs
