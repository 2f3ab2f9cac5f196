"""What every method owes: the battery of `METHODS`."""

import inspect
from pathlib import Path

import pytest
import torch

from likewise.data.kinds import KINDS
from likewise.errors import InputError
from likewise.losses import LOSSES
from likewise.methods import METHODS
from likewise.methods.auto import choose_method
from likewise.methods.recipe import resolve_options
from likewise.registry import options
from likewise.training.events import Event, StepDone
from methods.small_data import DATA
from training.small_runs import Log, same_weights

# distances that a margin asks for are far, and a fresh head has to be learnt from nothing
SLOW = {
    "batch-all",
    "batch-hard",
    "batch-hard-soft",
    "batch-semi-hard",
    "cross-encoder",
    "mega-batch-margin",
    "mlm",
    "triplet",
    "tsdae",
}
# not learnt by gradients, and at a rate of its own: tested in test_word2vec.py
OTHERWISE = {name for name, spec in METHODS.items() if spec.from_nothing}
# a cross-encoder, a decoder and a head that guesses words need more than a table of them
READS_BOTH = {"cross-encoder", "augmented", "mlm", "tsdae"}
WITHOUT_LABELS = {"pairs", "labelled", "texts"}

each_method = pytest.mark.parametrize("name", METHODS)
each_by_gradients = pytest.mark.parametrize("name", [n for n in METHODS if n not in OTHERWISE])


class Crash(Exception):
    pass


@each_method
def test_a_method_has_small_data_here(name: str):
    assert set(METHODS[name].kinds) <= set(DATA)


@each_method
def test_a_method_takes_kinds_that_exist_and_says_when_to_use_it(name: str):
    spec = METHODS[name]
    assert set(spec.kinds) <= set(KINDS)
    assert spec.summary
    assert not spec.summary.endswith(".")


@each_by_gradients
def test_every_weight_moves_on_every_kind_that_it_takes(name: str, train_on, tmp_path: Path):
    for kind in METHODS[name].kinds:
        if name == "augmented" and kind in WITHOUT_LABELS:
            continue  # tested with a teacher in test_augmented.py
        found = train_on(name, tmp_path / kind, kind=kind)
        after = found.after
        assert [k for k, start in found.before.items() if torch.equal(start, after[k])] == []
        assert all(bool(torch.isfinite(tensor).all()) for tensor in after.values())


@each_method
def test_the_same_seed_gives_the_same_weights(name: str, train_on, tmp_path: Path):
    first, second = (train_on(name, tmp_path / part, seed=5).after for part in "ab")
    assert same_weights(first, second)


@each_method
def test_another_seed_gives_other_weights(name: str, train_on, tmp_path: Path):
    first, second = (train_on(name, tmp_path / str(s), seed=s).after for s in (5, 6))
    assert not same_weights(first, second)


@each_method
def test_the_state_of_the_machine_changes_nothing(name: str, train_on, tmp_path: Path):
    first = train_on(name, tmp_path / "a").after
    with torch.random.fork_rng():
        torch.manual_seed(99)
        second = train_on(name, tmp_path / "b").after
    assert same_weights(first, second)


@each_method
def test_a_method_stops_and_goes_on_bit_for_bit(name: str, train_on, tmp_path: Path):
    def crash(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 3:
            raise Crash

    options = {"epochs": 2, "batch_size": 4, "checkpoint_every": 2}
    whole = train_on(name, tmp_path / "whole", **options)
    with pytest.raises(Crash):
        train_on(name, tmp_path / "cut", log=Log(act=crash), **options)
    resumed = train_on(name, tmp_path / "cut", resume=True, **options)
    assert resumed.log.steps[0].step == 3
    assert same_weights(resumed.after, whole.after)


@each_by_gradients
def test_an_easy_task_is_learnt(name: str, train_on, tmp_path: Path):
    rate, epochs = (5e-3, 30) if name in SLOW else (1e-3, 12)
    options = {"epochs": epochs, "batch_size": 8, "warmup": 0.0, "learning_rate": rate}
    log = train_on(name, tmp_path, **options).log
    per_epoch = len(log.steps) // epochs
    losses = [step.loss for step in log.steps]
    first, last = sum(losses[:per_epoch]), sum(losses[-per_epoch:])
    assert last < 0.7 * first


@pytest.mark.parametrize("name", [name for name in METHODS if name not in READS_BOTH | OTHERWISE])
def test_a_static_base_learns_by_every_method(name: str, train_on, word_vectors, tmp_path: Path):
    options = {"epochs": 20, "batch_size": 8, "warmup": 0.0, "learning_rate": 5e-2}
    if name == "simcse":
        options["dropout"] = 0.1  # a table has none of its own, and so no two views of a text
    found = train_on(name, tmp_path, base=word_vectors, **options)
    losses = [step.loss for step in found.log.steps]
    per_epoch = len(losses) // 20
    assert sum(losses[-per_epoch:]) < 0.8 * sum(losses[:per_epoch])


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
        assert all(key in caught.value.mend for key in fitting[:6])


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
    for key, field in options(METHODS[name].function).model_fields.items():
        with pytest.raises(InputError, match=key):
            resolve_options(name, {key: 7 if field.annotation is str else "a word"})


@each_method
def test_the_data_is_not_changed(name: str, train_on, tmp_path: Path):
    found = train_on(name, tmp_path, rows=12)
    assert found.data.table.to_pydict() == DATA[METHODS[name].kinds[0]](12).table.to_pydict()


def test_every_loss_is_a_method_by_its_own_name():
    assert set(LOSSES) <= set(METHODS)
    assert all(METHODS[name].contrastive == LOSSES[name].contrastive for name in LOSSES)
