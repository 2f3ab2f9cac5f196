"""Triplets: is the positive nearer to its anchor than the negative?"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from likewise.data.dataset import Dataset
from likewise.errors import InputError
from likewise.evaluation.baselines import tfidf_vectors
from likewise.evaluation.measures import items_of, score_items
from likewise.evaluation.predictions import Predict, checked_scores
from likewise.evaluation.result import Result
from likewise.evaluation.similarity import FEWEST
from likewise.evaluation.statistics import RESAMPLES
from likewise.evaluation.tasks import task_name
from likewise.mining.neighbours import DECIMALS
from likewise.mining.vectors import Embed, checked_vectors, unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Triplets:
    """Anchors with their positives and negatives, in an order that no file decides.

    Attributes:
        anchors: [n].
        positives: [n] one or several texts each.
        negatives: [n] likewise.
        notes: what was left out, and what cannot be told apart.
    """

    anchors: list[str]
    positives: list[list[str]]
    negatives: list[list[str]]
    notes: tuple[str, ...]

    @property
    def texts(self) -> list[str]:
        """[c] positives, then negatives, row by row."""
        both = zip(self.positives, self.negatives, strict=True)
        return [text for row in both for texts in row for text in texts]

    @property
    def rows(self) -> NDArray[np.int64]:
        """[c] the anchor of each of the texts."""
        both = zip(self.positives, self.negatives, strict=True)
        return np.repeat(np.arange(len(self.anchors)), [len(p) + len(n) for p, n in both])


def evaluate_triplets(
    embed: Embed, data: Dataset, *, resamples: int = RESAMPLES, seed: int = 0
) -> Result:
    """How often the positive is nearer to its anchor by cosine than the negative is.

    Of several positives and negatives in a row every pairing counts, and each row counts once.
    Equal cosines count half. Rows without a negative are left out.

    Args:
        embed: called once with the anchors, and once with the positives and negatives.
        data: of kind "pairs" or "distilled", with negatives.
        resamples: bootstrap draws of rows behind the 95 % intervals.
        seed: of those draws.

    Returns:
        "accuracy", which leads, from 0 to 1, and one half for a model that knows nothing; and
        "margin", the mean cosine of the positives less that of the negatives, from -2 to 2.
        Details hold `values` (metric to one a row).

    Raises:
        InputError: fewer than ten rows with a negative.
        LikewiseError: the vectors are not finite.
    """
    triplets = triplets_of(data)
    anchors = unit(checked_vectors(embed, triplets.anchors, role="query"))
    others = unit(checked_vectors(embed, triplets.texts, role="document"))
    cosines = np.einsum("cd,cd->c", anchors[triplets.rows], others)
    return _score(cosines, triplets, data, resamples=resamples, seed=seed)


def predict_triplets(
    predict: Predict, data: Dataset, *, resamples: int = RESAMPLES, seed: int = 0
) -> Result:
    """The same for a model that scores pairs; the margin is in the unit of its scores.

    Args:
        predict: (anchor, text) pairs to [c]; called once.
        data: as for `evaluate_triplets`.
        resamples: likewise.
        seed: likewise.

    Raises:
        InputError: as there, or the model answers several numbers a pair.
        LikewiseError: the scores are not finite.
    """
    triplets = triplets_of(data)
    anchors = [triplets.anchors[row] for row in triplets.rows.tolist()]
    scores = checked_scores(predict, list(zip(anchors, triplets.texts, strict=True)))
    return _score(scores, triplets, data, resamples=resamples, seed=seed)


def evaluate_tfidf_triplets(data: Dataset, *, resamples: int = RESAMPLES, seed: int = 0) -> Result:
    """The same of TF-IDF vectors, weighed by all the texts, without a model.

    Args:
        data: as for `evaluate_triplets`.
        resamples: likewise.
        seed: likewise.
    """
    triplets = triplets_of(data)
    vectors = tfidf_vectors(triplets.anchors + triplets.texts)
    n = len(triplets.anchors)
    product = vectors[:n][triplets.rows].multiply(vectors[n:])  # rows have length 1
    cosines = np.asarray(product.sum(axis=1), dtype=np.float64).ravel()
    result = _score(cosines, triplets, data, resamples=resamples, seed=seed)
    return replace(result, model="TF-IDF")


def triplets_of(data: Dataset) -> Triplets:
    """The rows that have a negative, sorted by their texts.

    Args:
        data: of kind "pairs" or "distilled".

    Raises:
        InputError: fewer than ten rows have one.
    """
    negatives = data.text_lists("negative") if "negative" in data.roles else [[]] * len(data)
    rows = sorted(
        (anchor, sorted(p), sorted(n))
        for anchor, p, n in zip(
            data.texts("anchor"), data.text_lists("positive"), negatives, strict=True
        )
        if n
    )
    if len(rows) < FEWEST:
        problem = f"{len(rows)} of {len(data)} pairs have a negative: an evaluation needs {FEWEST}"
        mend = "write one in a column negative, or let `likewise mine` find some"
        raise InputError(problem, mend=mend, where=data.file)
    notes = []
    if len(rows) < len(data):
        notes.append(f"{len(data) - len(rows):,} pairs without a negative are left out")
    equal = sum(not set(p).isdisjoint(n) for _, p, n in rows)
    if equal:
        notes.append(f"{equal:,} rows have a text as positive and as negative: that counts half")
    return Triplets(
        anchors=[anchor for anchor, _, _ in rows],
        positives=[p for _, p, _ in rows],
        negatives=[n for _, _, n in rows],
        notes=tuple(notes),
    )


def _score(
    scores: NDArray[np.float64], triplets: Triplets, data: Dataset, *, resamples: int, seed: int
) -> Result:
    """Scores [c] of the texts of the triplets, the higher the nearer."""
    counts = np.array(
        [[len(p), len(n)] for p, n in zip(triplets.positives, triplets.negatives, strict=True)]
    )
    parts = np.split(scores.round(DECIMALS), np.cumsum(counts)[:-1])
    each = [np.subtract.outer(near, far) for near, far in zip(parts[::2], parts[1::2], strict=True)]
    values = {
        "accuracy": np.array([(1 + np.sign(one).mean()) / 2 for one in each]),
        "margin": np.array([one.mean() for one in each]),
    }
    n = len(triplets.anchors)
    items = {name: items_of("mean", value) for name, value in values.items()}
    found, draws = score_items(items, resamples=resamples, seed=seed)
    return Result(
        task=task_name(data),
        evaluator="triplets",
        primary="accuracy",
        scores=found,
        draws=draws,
        items=items,
        n=n,
        data=data.fingerprint,
        seed=seed,
        notes=triplets.notes,
        details={"values": values, "chance": 0.5},
    )
