"""Semantic textual similarity: do cosines rank pairs as people did?"""

import numpy as np
from numpy.typing import NDArray

from likewise.data.dataset import Dataset
from likewise.errors import InputError, Where
from likewise.evaluation.metrics import pearson, spearman
from likewise.evaluation.result import Result
from likewise.evaluation.statistics import (
    RESAMPLES,
    bootstrap,
    pearson_of,
    score,
    spearman_of,
)
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
    vectors = checked_vectors(embed, data.texts("sentence1") + data.texts("sentence2"))
    left, right = np.split(unit(vectors), 2)  # [n, D] each
    return score_cosines((left * right).sum(axis=1), data, resamples=resamples, seed=seed)


def score_cosines(
    cosines: NDArray[np.float64], data: Dataset, *, resamples: int = RESAMPLES, seed: int = 0
) -> Result:
    """The correlations of given cosines [n] with the gold scores, as `evaluate_similarity`.

    0 where all cosines are equal: a model that tells no two texts apart knows nothing of them.
    """
    _refuse_no_correlation(data)
    gold = data.numbers("score")
    order = _row_order(data)  # the draws, too, are blind to the order of the rows
    cosines = cosines.round(DECIMALS)
    if np.ptp(cosines) == 0:  # as a resample of equal values has it
        values = {"spearman": 0.0, "pearson": 0.0}
    else:
        values = {"spearman": spearman(cosines, gold), "pearson": pearson(cosines, gold)}
    draws = bootstrap(
        {
            "spearman": spearman_of(cosines[order], gold[order]),
            "pearson": pearson_of(cosines[order], gold[order]),
        },
        len(gold),
        resamples=resamples,
        seed=seed,
    )
    return Result(
        task=task_name(data),
        evaluator="similarity",
        primary="spearman",
        scores={name: score(value, draws[name], len(gold)) for name, value in values.items()},
        draws=draws,
        n=len(gold),
        data=data.fingerprint,
        seed=seed,
        details={"cosines": cosines, "gold": gold},
    )


def _refuse_no_correlation(data: Dataset) -> None:
    if len(data) < FEWEST:
        problem = f"{len(data)} scored pairs: an evaluation needs {FEWEST} or more"
        raise InputError(problem, mend="give more pairs", where=_file(data))
    gold = data.numbers("score")
    if np.ptp(gold) == 0:
        problem = f"all {len(gold)} gold scores are {gold[0]:g}: nothing can correlate with them"
        mend = "give pairs that people scored differently"
        raise InputError(problem, mend=mend, where=_file(data))


def _row_order(data: Dataset) -> list[int]:
    first, second = data.texts("sentence1"), data.texts("sentence2")
    gold = data.numbers("score").tolist()
    return sorted(range(len(gold)), key=lambda i: (first[i], second[i], gold[i]))


def _file(data: Dataset) -> Where | None:
    return Where(path=data.sources[0]) if data.sources else None
