"""What every entry of `EVALUATORS` must do, whoever wrote it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from evaluation.conftest import CASES, PAIR_CASES, Case, PairCase, noisy, random_vectors
from likewise.errors import InputError, LikewiseError
from likewise.evaluation import EVALUATORS, compare, verdict
from likewise.evaluation.spec import EvaluatorSpec

R = 200


def names_and_kinds(what: str) -> list[tuple[str, str]]:
    return [
        (name, kind)
        for name, spec in EVALUATORS.items()
        for kind in spec.kinds
        if getattr(spec, what) is not None
    ]


def case_of(cases: dict[str, Callable], name: str, kind: str) -> Callable:
    """Of the evaluator and kind, of the evaluator, or of the kind: the first that is there."""
    return cases.get(f"{name}:{kind}") or cases.get(name) or cases[kind]


@pytest.fixture(params=names_and_kinds("function"), ids=":".join)
def entry(request: pytest.FixtureRequest) -> tuple[EvaluatorSpec, Case]:
    name, kind = request.param
    assert kind in CASES, f"tests/evaluation/conftest.py: add a case for data of kind {kind}"
    return EVALUATORS[name], case_of(CASES, name, kind)()


def test_perfect_vectors_get_the_top_score(entry: tuple[EvaluatorSpec, Case]):
    spec, case = entry
    result = spec.function(case.perfect, case.data, resamples=R, seed=0)
    assert result.scores[result.primary].value == pytest.approx(1, abs=1e-6)
    assert result.interval == pytest.approx((1, 1), abs=1e-6)


def test_shuffled_gold_gets_chance(entry: tuple[EvaluatorSpec, Case]):
    spec, case = entry
    for embed in (case.perfect, random_vectors()):
        result = spec.function(embed, case.shuffled, resamples=R, seed=0)
        value = result.scores[result.primary].value
        assert value == pytest.approx(case.chance, abs=case.slack)


def test_the_better_of_two_models_gets_the_higher_score(entry: tuple[EvaluatorSpec, Case]):
    spec, case = entry
    values = []
    for embed in (random_vectors(), noisy(case), case.perfect):
        result = spec.function(embed, case.data, resamples=R, seed=0)
        values.append(result.scores[result.primary].value)
    assert values[0] < values[1] < values[2]


def test_every_interval_holds_its_value_and_has_a_width(entry: tuple[EvaluatorSpec, Case]):
    spec, case = entry
    result = spec.function(noisy(case), case.data, resamples=R, seed=0)
    for score in result.scores.values():
        assert score.low <= score.value <= score.high
        assert np.isfinite([score.low, score.high]).all()
    low, high = result.interval
    assert low < high


def test_an_interval_is_as_wide_as_its_draws_say(entry: tuple[EvaluatorSpec, Case]):
    spec, case = entry
    result = spec.function(noisy(case), case.data, resamples=R, seed=0)
    draws = result.draws[result.primary]
    low, high = result.interval
    # a normal's central 95 % is 3.92 standard deviations wide
    assert high - low == pytest.approx(3.92 * draws.std(), rel=0.35)


def test_the_order_of_the_rows_changes_nothing(entry: tuple[EvaluatorSpec, Case]):
    spec, case = entry
    embed = noisy(case)
    first = spec.function(embed, case.data, resamples=R, seed=0)
    second = spec.function(embed, case.reordered, resamples=R, seed=0)
    for metric, score in first.scores.items():
        assert second.scores[metric].value == pytest.approx(score.value, abs=1e-9)
        np.testing.assert_allclose(second.draws[metric], first.draws[metric], atol=1e-9)


def test_the_length_of_the_vectors_changes_nothing(entry: tuple[EvaluatorSpec, Case]):
    spec, case = entry
    if case.heeds_length:
        pytest.skip("this evaluator takes vectors as they come")
    embed = noisy(case)

    def stretched(texts, *, role=None):
        factors = np.linspace(0.5, 8, len(texts), dtype=np.float32)[:, None]
        return embed(texts, role=role) * factors

    first = spec.function(embed, case.data, resamples=R, seed=0)
    second = spec.function(stretched, case.data, resamples=R, seed=0)
    for metric, score in first.scores.items():
        assert second.scores[metric].value == pytest.approx(score.value, abs=1e-6)


def test_the_same_seed_gives_the_same_draws(entry: tuple[EvaluatorSpec, Case]):
    spec, case = entry
    embed = noisy(case)
    first, again, other = (
        spec.function(embed, case.data, resamples=R, seed=seed) for seed in (5, 5, 6)
    )
    for metric in first.scores:
        np.testing.assert_array_equal(first.draws[metric], again.draws[metric])
        assert first.scores[metric] == again.scores[metric]
        assert first.scores[metric].value == other.scores[metric].value
    assert not np.array_equal(first.draws[first.primary], other.draws[first.primary])


def test_a_result_says_all_that_a_comparison_needs(entry: tuple[EvaluatorSpec, Case]):
    spec, case = entry
    result = spec.function(noisy(case), case.data, resamples=R, seed=3)
    assert next(iter(result.scores)) == result.primary
    assert result.draws.keys() == result.scores.keys()
    assert {draws.shape for draws in result.draws.values()} == {(R,)}
    assert result.n == {score.n for score in result.scores.values()}.pop() > 0
    assert result.seed == 3
    assert result.data
    assert result.task


def test_one_model_is_no_better_than_itself(entry: tuple[EvaluatorSpec, Case]):
    spec, case = entry
    result = spec.function(noisy(case), case.data, resamples=R, seed=0)
    for difference in compare([result, _called(result, "again")]):
        assert (difference.value, difference.low, difference.high) == (0, 0, 0)
        assert difference.p_value == 1
        assert verdict(difference) == "no better"


def test_a_perfect_model_is_better_than_a_random_one(entry: tuple[EvaluatorSpec, Case]):
    spec, case = entry
    bad, good = (
        _called(spec.function(embed, case.data, resamples=R, seed=0), name)
        for embed, name in ((random_vectors(), "bad"), (case.perfect, "good"))
    )
    lead, *_ = compare([bad, good])
    assert lead.metric == good.primary
    assert verdict(lead) == "better"
    back, *_ = compare([good, bad])
    assert verdict(back) == "worse"
    assert (back.value, back.p_value) == pytest.approx((-lead.value, lead.p_value))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_vectors_that_are_no_numbers_are_refused(entry: tuple[EvaluatorSpec, Case], bad: float):
    spec, case = entry

    def broken(texts, *, role=None):
        vectors = case.perfect(texts, role=role)
        vectors[-1] = bad
        return vectors

    with pytest.raises(LikewiseError, match="not finite"):
        spec.function(broken, case.data, resamples=R, seed=0)


def test_its_baseline_can_be_compared_with_a_model(entry: tuple[EvaluatorSpec, Case]):
    spec, case = entry
    if spec.baseline is None:
        pytest.skip("this evaluator has no baseline")
    result = spec.function(noisy(case), case.data, resamples=R, seed=0)
    baseline = spec.baseline(case.data, resamples=R, seed=0)
    assert baseline.model
    assert baseline.scores.keys() == result.scores.keys()
    assert len(compare([_called(result, "model"), baseline])) == len(result.scores)


def _called(result, model):
    return replace(result, model=model)


@pytest.fixture(params=names_and_kinds("pair_function"), ids=":".join)
def pair_entry(request: pytest.FixtureRequest) -> tuple[EvaluatorSpec, PairCase]:
    name, kind = request.param
    assert kind in PAIR_CASES, f"tests/evaluation/conftest.py: add a pair case of kind {kind}"
    return EVALUATORS[name], case_of(PAIR_CASES, name, kind)()


def lead(result):
    return result.scores[result.primary].value


def test_every_kind_can_be_evaluated_in_some_way():
    for name, spec in EVALUATORS.items():
        assert spec.function or spec.pair_function, name


def test_perfect_predictions_get_the_top_score(pair_entry: tuple[EvaluatorSpec, PairCase]):
    spec, case = pair_entry
    result = spec.pair_function(case.perfect, case.data, resamples=R, seed=0)
    assert lead(result) == pytest.approx(1, abs=1e-6)
    assert result.interval == pytest.approx((1, 1), abs=1e-6)


def test_predictions_of_nothing_get_chance(pair_entry: tuple[EvaluatorSpec, PairCase]):
    spec, case = pair_entry
    for predict in (case.perfect, case.random):
        result = spec.pair_function(predict, case.shuffled, resamples=R, seed=0)
        assert lead(result) == pytest.approx(case.chance, abs=case.slack)


def test_the_better_predictions_get_the_higher_score(pair_entry: tuple[EvaluatorSpec, PairCase]):
    spec, case = pair_entry
    results = [
        spec.pair_function(predict, case.data, resamples=R, seed=0)
        for predict in (case.random, case.noisy, case.perfect)
    ]
    assert lead(results[0]) < lead(results[1]) < lead(results[2])
    for score in results[1].scores.values():
        assert score.low <= score.value <= score.high
    low, high = results[1].interval
    assert low < high
    best, *_ = compare([_called(results[0], "bad"), _called(results[2], "good")])
    assert verdict(best) == "better"


def test_the_order_of_the_rows_changes_no_prediction(pair_entry: tuple[EvaluatorSpec, PairCase]):
    spec, case = pair_entry
    first = spec.pair_function(case.noisy, case.data, resamples=R, seed=0)
    second = spec.pair_function(case.noisy, case.reordered, resamples=R, seed=0)
    for metric, score in first.scores.items():
        assert second.scores[metric].value == pytest.approx(score.value, abs=1e-9)
        np.testing.assert_allclose(second.draws[metric], first.draws[metric], atol=1e-9)


def test_a_model_of_pairs_is_asked_once(pair_entry: tuple[EvaluatorSpec, PairCase]):
    spec, case = pair_entry
    asked = []

    def counted(pairs):
        asked.append(pairs)
        return case.noisy(pairs)

    spec.pair_function(counted, case.data, resamples=R, seed=0)
    assert len(asked) == 1
    assert all(isinstance(text, str) for pair in asked[0] for text in pair)


def test_both_kinds_of_model_are_measured_on_the_same_items(
    pair_entry: tuple[EvaluatorSpec, PairCase],
):
    spec, case = pair_entry
    result = spec.pair_function(case.noisy, case.data, resamples=R, seed=3)
    assert next(iter(result.scores)) == result.primary
    assert {draws.shape for draws in result.draws.values()} == {(R,)}
    assert result.seed == 3
    if spec.function is None:
        others = [spec.baseline(case.data, resamples=R, seed=3)]
    else:
        others = [
            spec.function(random_vectors(), case.data, resamples=R, seed=3),
            spec.baseline(case.data, resamples=R, seed=3),
        ]
    for other in others:
        found = compare([_called(other, "other"), _called(result, "ours")])
        assert [difference.metric for difference in found] == list(result.scores)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_predictions_that_are_no_numbers_are_refused(
    pair_entry: tuple[EvaluatorSpec, PairCase], bad: float
):
    spec, case = pair_entry

    def broken(pairs):
        scores = case.perfect(pairs)
        scores[-1] = bad
        return scores

    with pytest.raises(LikewiseError, match="not finite"):
        spec.pair_function(broken, case.data, resamples=R, seed=0)


def test_another_number_of_classes_is_refused(pair_entry: tuple[EvaluatorSpec, PairCase]):
    spec, case = pair_entry
    with pytest.raises(InputError, match="the model answers 4 numbers a pair"):
        spec.pair_function(lambda pairs: np.zeros((len(pairs), 4)), case.data, resamples=R, seed=0)
