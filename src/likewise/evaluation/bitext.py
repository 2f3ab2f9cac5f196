"""Bitext mining: does each sentence find its translation among all of the other language?"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from likewise.data.dataset import Dataset
from likewise.errors import InputError
from likewise.evaluation.baselines import search_tfidf, tfidf_vectors
from likewise.evaluation.measures import items_of, score_items
from likewise.evaluation.result import Result
from likewise.evaluation.similarity import FEWEST, refuse_few
from likewise.evaluation.statistics import RESAMPLES
from likewise.evaluation.tasks import task_name
from likewise.mining.neighbours import Ranking, search_cosine
from likewise.mining.vectors import Embed, checked_vectors

NEIGHBOURS = 4  # that a margin is taken over, as in the paper
SMALLEST = 1e-9  # a mean cosine that a margin divides by: below zero, a ratio says the reverse

Search: TypeAlias = Callable[..., Ranking]
Values: TypeAlias = dict[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bitext:
    """Distinct sentences of two languages, sorted, and which translate which.

    Attributes:
        sources: [S] sentences of the first.
        targets: [T] sentences of the second.
        rows: [n] a source and the targets of its row, by position, in order.
        answers: source to all its targets, of any row.
        questions: target to all its sources, likewise.
        notes: what was left out.
    """

    sources: list[str]
    targets: list[str]
    rows: list[tuple[int, list[int]]]
    answers: list[set[int]]
    questions: list[set[int]]
    notes: tuple[str, ...]


def evaluate_bitext(
    embed: Embed, data: Dataset, *, resamples: int = RESAMPLES, seed: int = 0
) -> Result:
    """Whether the nearest sentence of the other language is the translation.

    Every sentence that stands beside an equal one, in any row, is a right answer.

    Args:
        embed: called once with all sentences, without a role.
        data: of kind "pairs": the anchor in one language, the positive in the other.
        resamples: bootstrap draws of rows behind the 95 % intervals; what a row is held against,
            all the other sentences, stays as it is.
        seed: of those draws.

    Returns:
        From anchor to positive, as MTEB measures it: each positive is a class, and the metrics are
        means over classes by their rows. "f1", which leads, "accuracy", "precision" and "recall"
        (which by these weights is the accuracy). Then "accuracy_back" from positive to anchor, and
        "f1_margin" where the four nearest are held against how near sentences lie to theirs
        anyway: the cosine over the mean of the cosines of both to their four nearest (Artetxe and
        Schwenk 2019, the ratio margin). All from 0 to 1. Details hold `values` (metric to one a
        row) and `chance`, the accuracy of a target drawn at random.

    Raises:
        InputError: fewer than ten pairs, or one distinct sentence on a side.
        LikewiseError: the vectors are not finite.
    """
    bitext = bitext_of(data)
    vectors = checked_vectors(embed, bitext.sources + bitext.targets)
    s = len(bitext.sources)
    near, back = _both_ways(search_cosine, vectors[:s], vectors[s:])
    return _score(near, back, bitext, data, resamples=resamples, seed=seed)


def evaluate_tfidf_bitext(data: Dataset, *, resamples: int = RESAMPLES, seed: int = 0) -> Result:
    """The same of TF-IDF vectors, weighed by all the sentences: names and numbers in common.

    Args:
        data: of kind "pairs".
        resamples: as for `evaluate_bitext`.
        seed: likewise.
    """
    bitext = bitext_of(data)
    vectors = tfidf_vectors(bitext.sources + bitext.targets)
    s = len(bitext.sources)
    near, back = _both_ways(search_tfidf, vectors[:s], vectors[s:])
    result = _score(near, back, bitext, data, resamples=resamples, seed=seed)
    return replace(result, model="TF-IDF")


def bitext_of(data: Dataset) -> Bitext:
    """The anchors and positives of pairs as two sets of sentences.

    Args:
        data: of kind "pairs"; negatives are left out.

    Raises:
        InputError: fewer than ten rows, or one distinct sentence on a side.
    """
    refuse_few(data, FEWEST, "pairs")
    rows = sorted(zip(data.texts("anchor"), map(sorted, data.text_lists("positive")), strict=True))
    sources = sorted({source for source, _ in rows})
    targets = sorted({target for _, several in rows for target in several})
    for side, name in ((sources, "anchor"), (targets, "positive")):
        if len(side) < 2:
            problem = f'every row has the same {name}: "{side[0][:60]}"'
            mend = "give pairs of different sentences"
            raise InputError(problem, mend=mend, where=data.file)
    source_of = {text: i for i, text in enumerate(sources)}
    target_of = {text: i for i, text in enumerate(targets)}
    numbered = [(source_of[s], [target_of[t] for t in several]) for s, several in rows]
    answers: list[set[int]] = [set() for _ in sources]
    questions: list[set[int]] = [set() for _ in targets]
    for source, several in numbered:
        answers[source].update(several)
        for target in several:
            questions[target].add(source)
    has_negatives = "negative" in data.roles
    return Bitext(
        sources=sources,
        targets=targets,
        rows=numbered,
        answers=answers,
        questions=questions,
        notes=("negatives are not among the sentences to be found",) if has_negatives else (),
    )


def _both_ways(search: Search, sources: Any, targets: Any) -> tuple[Ranking, Ranking]:
    """The four nearest targets of each source, and the four nearest sources of each target."""
    s, t = sources.shape[0], targets.shape[0]
    near = search(sources, targets, depth=min(NEIGHBOURS, t))
    return near, search(targets, sources, depth=min(NEIGHBOURS, s))


def _score(
    near: Ranking, back: Ranking, bitext: Bitext, data: Dataset, *, resamples: int, seed: int
) -> Result:
    by_row = _by_class(near.positions[:, 0], bitext)
    returned = back.positions[:, 0].tolist()
    found_back = [source in bitext.questions[t] for t, source in enumerate(returned)]
    values = {
        "f1": by_row["f1"],
        "accuracy": by_row["accuracy"],
        "precision": by_row["precision"],
        "recall": by_row["recall"],
        "accuracy_back": np.array([np.mean([found_back[t] for t in ts]) for _, ts in bitext.rows]),
        "f1_margin": _by_class(_by_margin(near, back), bitext)["f1"],
    }
    n = len(bitext.rows)
    items = {name: items_of("mean", value) for name, value in values.items()}
    scores, draws = score_items(items, resamples=resamples, seed=seed)
    right = [len(bitext.answers[source]) for source, _ in bitext.rows]
    return Result(
        task=task_name(data),
        evaluator="bitext",
        primary="f1",
        scores=scores,
        draws=draws,
        items=items,
        n=n,
        data=data.fingerprint,
        seed=seed,
        notes=bitext.notes,
        details={"values": values, "chance": float(np.mean(right) / len(bitext.targets))},
    )


def _by_margin(near: Ranking, back: Ranking) -> NDArray[np.int64]:
    """[S] the target, of the four nearest, with the highest ratio margin (equations 2 and 3)."""
    means = (near.scores.mean(axis=1)[:, None] + back.scores.mean(axis=1)[near.positions]) / 2
    best = (near.scores / means.clip(min=SMALLEST)).argmax(axis=1)
    return np.asarray(near.positions[np.arange(len(best)), best], dtype=np.int64)


def _by_class(found: NDArray[np.int64], bitext: Bitext) -> Values:
    """Each metric of the class of each row [n], where sources [S] have found these targets."""
    called = found[[source for source, _ in bitext.rows]]
    right = np.array(
        [target in bitext.answers[s] for (s, _), target in zip(bitext.rows, called, strict=True)]
    )
    classes = np.where(right, called, [targets[0] for _, targets in bitext.rows])
    t = len(bitext.targets)
    rows, calls = np.bincount(classes, minlength=t), np.bincount(called, minlength=t)
    hits = np.bincount(classes[right], minlength=t)
    per_class = {
        "f1": 2 * hits / np.maximum(rows + calls, 1),
        "precision": hits / np.maximum(calls, 1),
        "recall": hits / np.maximum(rows, 1),
    }
    return {
        "accuracy": right.astype(np.float64),
        **{name: value[classes] for name, value in per_class.items()},
    }
