"""Semantic textual similarity: do cosines rank pairs as people did?"""

import numpy as np
from numpy.typing import NDArray

from likewise.data.dataset import Dataset
from likewise.errors import InputError
from likewise.evaluation.measures import items_of, score_items
from likewise.evaluation.predictions import Predict, checked_scores
from likewise.evaluation.result import Result
from likewise.evaluation.statistics import RESAMPLES
from likewise.evaluation.tasks import task_name
from likewise.mining.neighbours import DECIMALS
from likewise.mining.vectors import Embed, checked_vectors, unit

FEWEST = 10  # pairs; below that an interval says nothing


def evaluate_similarity(
    embed: Embed, data: Dataset, *, resamples: int = RESAMPLES, seed: int = 0
) -> Result:
    """Correlate cosines with gold scores (Reimers et al. 2016 on why Spearman leads).

    Args:
        embed: texts to vectors [n, D]; called once.
        data: of kind "scored"; the unit of the scores is free, both correlations ignore it.
        resamples: bootstrap draws behind the 95 % intervals.
        seed: of those draws; the point estimates do not depend on it.

    Returns:
        "spearman" and "pearson", from -1 to 1; details hold `cosines` and `gold`, [n] each, in
        the order of the rows.

    Raises:
        InputError: fewer than ten pairs, or all gold scores are equal: no correlation exists.
        LikewiseError: the vectors are not finite.
    """
    _refuse_no_correlation(data)
    cosines = cosines_of(embed, data)
    return score_cosines(cosines, data, resamples=resamples, seed=seed)


def predict_similarity(
    predict: Predict, data: Dataset, *, resamples: int = RESAMPLES, seed: int = 0
) -> Result:
    """The same for a model that scores pairs; details hold its `scores` in place of cosines.

    Args:
        predict: pairs to [n]; called once.
        data: as for `evaluate_similarity`.
        resamples: likewise.
        seed: likewise.

    Raises:
        InputError: as there, or the model answers several numbers a pair.
        LikewiseError: the scores are not finite.
    """
    _refuse_no_correlation(data)
    scores = checked_scores(predict, pairs_of(data))
    return score_cosines(scores, data, name="scores", resamples=resamples, seed=seed)


def score_cosines(
    cosines: NDArray[np.float64],
    data: Dataset,
    *,
    name: str = "cosines",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Result:
    """The correlations of given cosines [n] with the gold scores, as `evaluate_similarity`.

    0 where all cosines are equal: a model that tells no two texts apart knows nothing of them.
    The result says so.
    """
    _refuse_no_correlation(data)
    gold = data.numbers("score")
    order = row_order(data, "score")  # the draws, too, are blind to the order of the rows
    cosines = cosines.round(DECIMALS)
    items = {
        measure: items_of(measure, cosines[order], gold[order])
        for measure in ("spearman", "pearson")
    }
    scores, draws = score_items(items, resamples=resamples, seed=seed)
    return Result(
        task=task_name(data),
        evaluator="similarity",
        primary="spearman",
        scores=scores,
        draws=draws,
        items=items,
        n=len(gold),
        data=data.fingerprint,
        seed=seed,
        notes=notes_on_constant(cosines, name),
        details={name: cosines, "gold": gold},
    )


def cosines_of(embed: Embed, data: Dataset) -> NDArray[np.float64]:
    """[n] the cosine of each pair of a data set of `sentence1` and `sentence2`."""
    vectors = checked_vectors(embed, data.texts("sentence1") + data.texts("sentence2"))
    left, right = np.split(unit(vectors), 2)  # [n, D] each
    cosines: NDArray[np.float64] = (left * right).sum(axis=1)
    return cosines


def pairs_of(data: Dataset) -> list[tuple[str, str]]:
    """The first two texts of each row."""
    first, second = data.text_roles()[:2]
    return list(zip(data.texts(first), data.texts(second), strict=True))


def row_order(data: Dataset, role: str) -> list[int]:
    """The rows sorted by their texts and then by a number: an order that no file decides."""
    pairs, gold = pairs_of(data), data.numbers(role).tolist()
    return sorted(range(len(gold)), key=lambda i: (*pairs[i], gold[i]))


def notes_on_constant(scores: NDArray[np.float64], name: str) -> tuple[str, ...]:
    """What a reader should know of a model that gives all pairs the same score.

    Args:
        scores: [n] as they were measured.
        name: of them, in the plural.
    """
    if np.ptp(scores) > 0:
        return ()
    return (f"all {name} are {scores[0]:g}: a model that tells no two pairs apart was measured",)


def refuse_few(data: Dataset, fewest: int, what: str) -> None:
    """Stop where there are fewer rows than an interval needs.

    Raises:
        InputError: there are.
    """
    if len(data) < fewest:
        problem = f"{len(data)} {what}: an evaluation needs {fewest} or more"
        raise InputError(problem, mend="give more of them", where=data.file)


def _refuse_no_correlation(data: Dataset) -> None:
    refuse_few(data, FEWEST, "scored pairs")
    gold = data.numbers("score")
    if np.ptp(gold) == 0:
        problem = f"all {len(gold)} gold scores are {gold[0]:g}: nothing can correlate with them"
        mend = "give pairs that people scored differently"
        raise InputError(problem, mend=mend, where=data.file)
