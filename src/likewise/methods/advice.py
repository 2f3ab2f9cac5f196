"""What fits some data, in which order, and why."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from likewise.data.clusters import flat_texts
from likewise.data.dataset import Dataset, RetrievalSet
from likewise.data.derive import corpus_to_texts
from likewise.methods.ranking import LABELLED, STAGE, TEACHER, TEXTS, Choice, Length

SAMPLE = 100_000  # texts whose words are counted
FEWEST_WORDS = 4  # of a text in the middle, below which a damaged one has nothing left
PASSAGE_WORDS = 40
FEW = 1_000  # texts; the papers had ten thousand and more
UNLABELLED = frozenset({"texts", "retrieval"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFacts:
    """Plain texts, as far as a choice rests on them.

    Attributes:
        texts: how many.
        words: of the text in the middle.
        repeats: texts that repeat another but for case and punctuation.
    """

    texts: int
    words: float
    repeats: int

    @property
    def length(self) -> Length:
        """What texts of such a length are called here."""
        if self.words < FEWEST_WORDS:
            return "phrases"
        return "sentences" if self.words < PASSAGE_WORDS else "passages"

    def __str__(self) -> str:
        said = f"{self.texts:,} texts as long as {self.length} (median {self.words:g} words)"
        if self.repeats:
            said += f", {self.repeats:,} of them repeat another"
        return said + (": few to learn from" if self.texts < FEW else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What to do with some data, the best first.

    Attributes:
        facts: what it rests on, in a sentence; empty where the kind of the data says it all.
        choices: methods, each with its reason and what it still needs.
    """

    facts: str
    choices: tuple[Choice, ...]

    @property
    def first(self) -> Choice | None:
        """What `--method auto` takes: the first that needs nothing more."""
        return next((choice for choice in self.choices if not choice.needs), None)


def text_facts(data: Dataset) -> TextFacts:
    """Count texts, words and repeats of the first text column.

    Args:
        data: plain texts, or any other kind.
    """
    import pyarrow.compute as pc

    role = data.text_roles()[0]
    column: pa.ChunkedArray = data.table.column(role)
    some = flat_texts(column.take(np.arange(0, len(data), max(len(data) // SAMPLE, 1))))
    words = np.asarray(pc.count_substring(pc.utf8_trim_whitespace(some), " ")) + 1
    keys = data.keys[role].keys
    return TextFacts(
        texts=len(keys),
        words=float(np.median(words)),
        repeats=len(keys) - len(np.unique(keys)),
    )


def advise(
    data: Dataset | RetrievalSet,
    others: Sequence[Dataset | RetrievalSet] = (),
    *,
    cross_encoders: Sequence[str] = (),
) -> Advice:
    """The methods that fit some data, the best first; a kind that is unknown gives none.

    Args:
        data: to be trained on; of a retrieval set, the corpus.
        others: further data that is at hand: with labels, it makes a second stage.
        cross_encoders: folders of models that score pairs, for methods that need one.
    """
    if isinstance(data, Dataset) and data.kind != "texts":
        return Advice(facts="", choices=LABELLED.get(data.kind, ()))
    facts = text_facts(data if isinstance(data, Dataset) else corpus_to_texts(data))
    labelled = [one.sources[0] for one in others if one.kind not in UNLABELLED and one.sources]
    choices = TEXTS[facts.length]
    if cross_encoders:
        choices = tuple(_taught(choice, cross_encoders[0]) for choice in choices)
    if labelled:
        choices = tuple(_staged(choice, labelled[0]) for choice in choices)
    return Advice(facts=str(facts), choices=choices)


def _taught(choice: Choice, teacher: str) -> Choice:
    """A choice that needs a cross-encoder, with the one that is there."""
    if choice.needs != TEACHER:
        return choice
    options = f"{choice.options} --set teacher={shlex.quote(teacher)}".strip()
    return replace(choice, needs="", options=options)


def _staged(choice: Choice, labelled: str) -> Choice:
    """A choice that needs labelled data behind it, with what is there."""
    if choice.needs != STAGE:
        return choice
    return replace(choice, needs=f"a stage behind it, as on {labelled}: a recipe with [[stages]]")
