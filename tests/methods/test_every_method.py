"""What every method owes: the battery of `METHODS`."""

import inspect
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from likewise.data.kinds import KINDS
from likewise.errors import InputError
from likewise.methods import METHODS
from likewise.methods.auto import choose_method
from likewise.methods.recipe import resolve_options
from likewise.models.encoder import Encoder
from likewise.registry import options
from likewise.training.events import Event, StepDone
from training.small_runs import Log, make_fit, nli, pairs, same_weights, scored, weights

# small data for each kind that a method may name; an easy task, of which all rows are distinct
DATA = {"pairs": pairs, "scored": scored, "nli": nli}

each_method = pytest.mark.parametrize("name", METHODS)


class Crash(Exception):
    pass


def run(
    name: str,
    encoder: Encoder,
    folder: Path,
    *,
    kind: str | None = None,
    log: Log | None = None,
    **given,
) -> Log:
    log = log or Log()
    data = DATA[kind or METHODS[name].kinds[0]](24)
    fit = make_fit(encoder, folder, observers=[log], **({"epochs": 2} | given))
    METHODS[name].function(fit, data, **resolve_options(name, {}))
    return log


def trained(name: str, new_encoder: Callable[[], Encoder], folder: Path, **given):
    encoder = new_encoder()
    run(name, encoder, folder, **given)
    return weights(encoder)


@each_method
def test_a_method_has_small_data_here(name: str):
    assert set(METHODS[name].kinds) <= set(DATA)


@each_method
def test_a_method_takes_kinds_that_exist_and_says_when_to_use_it(name: str):
    spec = METHODS[name]
    assert set(spec.kinds) <= set(KINDS)
    assert spec.summary
    assert not spec.summary.endswith(".")


@each_method
def test_every_weight_moves_on_every_kind_that_it_takes(name: str, new_encoder, tmp_path: Path):
    start = weights(new_encoder())
    for kind in METHODS[name].kinds:
        end = trained(name, new_encoder, tmp_path / kind, kind=kind)
        assert [key for key in start if torch.equal(start[key], end[key])] == []
        assert all(bool(torch.isfinite(tensor).all()) for tensor in end.values())


@each_method
def test_the_same_seed_gives_the_same_weights(name: str, new_encoder, tmp_path: Path):
    first, second = (trained(name, new_encoder, tmp_path / part, seed=5) for part in "ab")
    assert same_weights(first, second)


@each_method
def test_another_seed_gives_other_weights(name: str, new_encoder, tmp_path: Path):
    first, second = (trained(name, new_encoder, tmp_path / str(s), seed=s) for s in (5, 6))
    assert not same_weights(first, second)


@each_method
def test_the_state_of_the_machine_changes_nothing(name: str, new_encoder, tmp_path: Path):
    first = trained(name, new_encoder, tmp_path / "a")
    with torch.random.fork_rng():
        torch.manual_seed(99)
        second = trained(name, new_encoder, tmp_path / "b")
    assert same_weights(first, second)


@each_method
def test_a_method_stops_and_goes_on_bit_for_bit(name: str, new_encoder, tmp_path: Path):
    def crash(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 3:
            raise Crash

    options = {"epochs": 2, "batch_size": 4, "checkpoint_every": 2}
    whole = trained(name, new_encoder, tmp_path / "whole", **options)
    with pytest.raises(Crash):
        run(name, new_encoder(), tmp_path / "cut", log=Log(act=crash), **options)
    resumed, log = new_encoder(), Log()
    run(name, resumed, tmp_path / "cut", log=log, resume=True, **options)
    assert log.steps[0].step == 3
    assert same_weights(weights(resumed), whole)


@each_method
def test_an_easy_task_is_learnt(name: str, new_encoder, tmp_path: Path):
    log = run(name, new_encoder(), tmp_path, epochs=12, batch_size=8, warmup=0.0)
    per_epoch = len(log.steps) // 12
    losses = [step.loss for step in log.steps]
    first, last = sum(losses[:per_epoch]), sum(losses[-per_epoch:])
    assert last < 0.7 * first


@each_method
def test_data_of_another_kind_is_refused_with_the_methods_that_fit(name: str):
    for kind, make in DATA.items():
        data = make(6)
        if kind in METHODS[name].kinds:
            assert choose_method(name, data, METHODS) == name
            continue
        fitting = [key for key, spec in METHODS.items() if kind in spec.kinds]
        with pytest.raises(InputError) as caught:
            choose_method(name, data, METHODS)
        assert kind in caught.value.problem
        assert all(taken in caught.value.problem for taken in METHODS[name].kinds)
        assert all(key in caught.value.mend for key in fitting)


@each_method
def test_options_are_those_of_the_signature(name: str):
    function = METHODS[name].function
    declared = {
        key: parameter.default
        for key, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    assert inspect.Parameter.empty not in declared.values()  # every option has a default
    assert resolve_options(name, {}) == declared
    assert set(options(function).model_fields) == set(declared)
    assert all(f"{key}:" in (inspect.getdoc(function) or "") for key in declared)


@each_method
def test_an_unknown_option_is_refused_and_the_nearest_offered(name: str):
    known = list(options(METHODS[name].function).model_fields)
    given = f"{known[0]}x" if known else "scale"
    with pytest.raises(InputError) as caught:
        resolve_options(name, {given: 1})
    assert f'"{given}"' in caught.value.problem
    assert name in caught.value.problem
    assert (known[0] if known else "no options") in caught.value.mend


@each_method
def test_an_option_of_the_wrong_type_is_named(name: str):
    for key in options(METHODS[name].function).model_fields:
        with pytest.raises(InputError, match=key):
            resolve_options(name, {key: "a word"})


@each_method
def test_the_data_is_not_changed(name: str, new_encoder, tmp_path: Path):
    data = DATA[METHODS[name].kinds[0]](12)
    before = data.table.to_pydict()
    fit = make_fit(new_encoder(), tmp_path)
    METHODS[name].function(fit, data, **resolve_options(name, {}))
    assert data.table.to_pydict() == before


def test_the_weights_of_two_methods_differ(new_encoder, tmp_path: Path):
    found = [trained(name, new_encoder, tmp_path / name) for name in METHODS]
    assert not any(same_weights(found[0], other) for other in found[1:])
