"""Every entry of `MEASURES`: its intervals and tests are right as often as they say.

Each kind of metric has a scene, which makes the items of two models that share what is hard, and
says what both would score on endless data. Quick versions are here in small numbers, with room for
chance; the slow ones hold them to 93 to 97 %.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.stats import norm

from likewise.evaluation.differences import paired_difference, verdict
from likewise.evaluation.measures import MEASURES, items_of, score_items
from likewise.evaluation.permutation import permutation_p
from likewise.evaluation.result import Items, Result
from likewise.evaluation.seeds import combine_seeds
from likewise.evaluation.statistics import RESAMPLES

SHARE = 1 / 3  # of pairs that are the same


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A metric, items of a model of some skill, and what that skill is worth.

    Attributes:
        skills: of the better and of the worse of two models.
        draw: what is given: the gold [n], and noise [n] of its own kind.
        items: gold, noise and skill to items.
        truth: skill to the metric on endless data.
    """

    skills: tuple[float, float]
    gold: Callable[[np.random.Generator, int], np.ndarray]
    items: Callable[[np.ndarray, np.ndarray, float], Items]
    truth: Callable[[float], float]

    def two(self, rng: np.random.Generator, n: int, skills: tuple[float, float]) -> list[Items]:
        """Items of two models on the same gold, whose noise is alike in part."""
        gold, hard = self.gold(rng, n), rng.normal(size=n)
        noises = (np.sqrt(0.6) * hard + np.sqrt(0.4) * rng.normal(size=n) for _ in range(2))
        return [self.items(gold, noise, skill) for noise, skill in zip(noises, skills, strict=True)]


def reciprocal_ranks(_: np.ndarray, noise: np.ndarray, skill: float) -> Items:
    """1, 1/2, 1/3 or 0: as a metric of queries looks, most of them at the top."""
    values = np.array([0, 1 / 3, 1 / 2, 1])
    return items_of("mean", values[np.searchsorted(STEPS, noise + skill)])


STEPS = np.array([-0.4, -0.1, 0.2])
GRID = np.linspace(-9, 13, 200_001)


def mean_rank(skill: float) -> float:
    below = norm.cdf(STEPS - skill)
    return float(1 - below[2] + (below[2] - below[1]) / 2 + (below[1] - below[0]) / 3)


def correlated(measure: str) -> Callable[[np.ndarray, np.ndarray, float], Items]:
    return lambda gold, noise, rho: items_of(
        measure, rho * gold + np.sqrt(1 - rho**2) * noise, gold
    )


def told_apart(measure: str) -> Callable[[np.ndarray, np.ndarray, float], Items]:
    return lambda gold, noise, apart: items_of(measure, noise + apart * gold, gold)


def called(gold: np.ndarray, noise: np.ndarray, apart: float) -> Items:
    """Classes by a threshold halfway between the two."""
    return items_of("macro_f1", noise + apart * gold > apart / 2, gold)


def macro_f1_truth(apart: float) -> float:
    hit, wrong = norm.cdf(apart / 2), norm.sf(apart / 2)
    shares = (SHARE, 1 - SHARE)
    return sum(
        2 * own * hit / (own * hit + other * wrong + own)
        for own, other in (shares, shares[::-1])
    ) / 2  # fmt: skip


def threshold_truth(metric: str, apart: float) -> float:
    hits, wrong = SHARE * norm.sf(GRID - apart), (1 - SHARE) * norm.sf(GRID)
    if metric == "f1":
        return float((2 * hits / (hits + wrong + SHARE)).max())
    if metric == "accuracy":
        return float((hits + 1 - SHARE - wrong).max())
    called = hits + wrong
    precision = np.divide(hits, called, out=np.ones_like(hits), where=called > 0)
    return float(np.trapezoid(precision * norm.pdf(GRID - apart), GRID))


def normal(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.normal(size=n)


def labels(rng: np.random.Generator, n: int) -> np.ndarray:
    return (rng.uniform(size=n) < SHARE).astype(float)


SCENES = {
    "mean": Scene(skills=(1.1, 0.7), gold=normal, items=reciprocal_ranks, truth=mean_rank),
    "pearson": Scene(
        skills=(0.8, 0.7), gold=normal, items=correlated("pearson"), truth=lambda rho: rho
    ),
    "spearman": Scene(  # a binormal's rank correlation: 6 / pi arcsin(rho / 2) (Kruskal 1958)
        skills=(0.8, 0.7), gold=normal, items=correlated("spearman"),
        truth=lambda rho: 6 / np.pi * np.arcsin(rho / 2),
    ),
    "macro_f1": Scene(skills=(2.0, 1.5), gold=labels, items=called, truth=macro_f1_truth),
    **{
        metric: Scene(
            skills=(2.0, 1.7), gold=labels, items=told_apart(metric),
            truth=lambda apart, metric=metric: threshold_truth(metric, apart),
        )
        for metric in ("average_precision", "f1", "accuracy")
    },
}  # fmt: skip


def result_of(items: Items, model: str, seed: int, *, resamples: int = 300) -> Result:
    scores, draws = score_items({"it": items}, resamples=resamples, seed=seed)
    return Result(
        task="t", evaluator="e", primary="it", scores=scores, draws=draws, n=len(items.scores),
        model=model, data="d", seed=seed,
    )  # fmt: skip


def held(scene: Scene, n: int, trials: int, resamples: int = 300) -> tuple[float, float]:
    """How often the interval of a value, and that of a difference, holds the truth."""
    rng = np.random.default_rng(7)
    truths = [scene.truth(skill) for skill in scene.skills]
    value = difference = 0
    for trial in range(trials):
        both = [
            result_of(items, name, trial, resamples=resamples)
            for items, name in zip(scene.two(rng, n, scene.skills), "ab", strict=True)
        ]
        low, high = both[0].interval
        value += low <= truths[0] <= high
        found = paired_difference(*both, "it")
        difference += found.low <= truths[0] - truths[1] <= found.high
    return value / trials, difference / trials


def rejected(scene: Scene, n: int, trials: int) -> float:
    """How often two equal models are told apart by swapping, one on another scale."""
    rng = np.random.default_rng(11)
    skill = scene.skills[0]
    found = 0
    for trial in range(trials):
        ours, theirs = scene.two(rng, n, (skill, skill))
        if ours.measure not in {"mean", "macro_f1"}:  # these are swapped as they are
            ours = replace(ours, scores=np.exp(ours.scores) if skill > 1 else 50 * ours.scores + 3)
        found += permutation_p(ours, theirs, permutations=199, seed=trial) <= 0.05
    return found / trials


def found_of_detectable(scene: Scene, trials: int) -> float:
    """How often a true difference of the detectable size is found.

    At n items the detectable difference is some number, and shrinks with the root of n: there is
    a number of items at which it is the true difference.
    """
    rng = np.random.default_rng(13)
    truth = scene.truth(scene.skills[0]) - scene.truth(scene.skills[1])

    def differences(n: int, trials: int):
        for trial in range(trials):
            both = scene.two(rng, n, scene.skills)
            results = [result_of(one, m, trial) for one, m in zip(both, "ab", strict=True)]
            yield paired_difference(*results, "it")

    detectable = np.mean([one.detectable for one in differences(200, 40)])
    n = round(200 * (detectable / truth) ** 2)
    return float(np.mean([verdict(one) == "better" for one in differences(n, trials)]))


def room(share: float, trials: int) -> float:
    """Three standard errors and a half of a share over so many trials."""
    return 3.5 * np.sqrt(share * (1 - share) / trials)


QUICK = 200


def test_every_measure_has_a_scene():
    assert SCENES.keys() == MEASURES.keys()


@pytest.mark.parametrize("name", ["mean", "pearson", "spearman", "average_precision", "f1"])
def test_a_95_percent_interval_holds_the_truth_19_times_in_20(name: str):
    for share in held(SCENES[name], n=150, trials=QUICK):
        assert abs(share - 0.95) < room(0.95, QUICK)


@pytest.mark.parametrize("name", ["mean", "pearson", "spearman", "average_precision"])
def test_swapping_tells_equal_models_apart_once_in_20(name: str):
    assert abs(rejected(SCENES[name], n=60, trials=500) - 0.05) < room(0.05, 500)


@pytest.mark.parametrize("name", ["mean", "pearson"])
def test_a_detectable_difference_is_found_in_four_of_five_cases(name: str):
    assert abs(found_of_detectable(SCENES[name], trials=QUICK) - 0.8) < room(0.8, QUICK)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "trials", "resamples"), [(150, 1000, RESAMPLES), (1500, 400, 500)])
@pytest.mark.parametrize("name", SCENES)
def test_intervals_are_right_at_the_sizes_that_users_have(
    name: str, n: int, trials: int, resamples: int
):
    value, difference = held(SCENES[name], n, trials, resamples=resamples)
    assert 0.93 <= value <= 0.97
    assert 0.93 <= difference <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENES)
def test_equal_models_are_told_apart_in_4_to_6_percent_of_trials(name: str):
    assert 0.04 <= rejected(SCENES[name], n=150, trials=3000) <= 0.06


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENES)
def test_the_power_to_find_the_detectable_difference_is_75_to_85_percent(name: str):
    assert 0.75 <= found_of_detectable(SCENES[name], trials=1000) <= 0.85


def over_seeds(runs: int, spread: float, trials: int) -> tuple[float, float]:
    """As `held`, of the mean of models whose seeds shift them, and of two such models."""
    rng = np.random.default_rng(17)
    value = difference = 0
    for trial in range(trials):
        hard = rng.normal(size=80)
        both = []
        for name in "ab":
            shifts = rng.normal(scale=spread, size=runs)
            own = (hard + shift + 0.5 * rng.normal(size=80) for shift in shifts)
            both.append(combine_seeds([result_of(items_of("mean", x), name, trial) for x in own]))
        low, high = both[0].interval
        value += low <= 0 <= high
        found = paired_difference(*both, "it")
        difference += found.low <= 0 <= found.high
    return value / trials, difference / trials


@pytest.mark.parametrize("runs", [2, 5])
def test_of_few_seeds_an_interval_is_rather_too_wide_than_too_narrow(runs: int):
    for share in over_seeds(runs, spread=0.2, trials=200):
        assert share > 0.95 - room(0.95, 200)


@pytest.mark.slow
@pytest.mark.parametrize("runs", [2, 3, 5])
@pytest.mark.parametrize("spread", [0.05, 0.1, 0.3])
def test_seeds_that_matter_little_or_much_are_covered(runs: int, spread: float):
    for share in over_seeds(runs, spread, trials=1000):
        assert 0.93 <= share <= 0.995
