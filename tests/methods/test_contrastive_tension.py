import gc
import json
from pathlib import Path

import pytest
import torch

from conftest import TOPICS, answer
from likewise.errors import InputError
from likewise.methods.contrastive_tension import train_contrastive_tension
from likewise.methods.recipe import resolve_options
from likewise.models.architectures.layers import SelfAttention
from likewise.models.build import load
from likewise.models.encoder import Encoder
from likewise.training.events import Event, StepDone
from training.small_runs import (
    Crash,
    Log,
    crash_after,
    make_data,
    make_fit,
    same_weights,
    weights,
)

VARIANTS = ("in-batch", "classic")
each_variant = pytest.mark.parametrize("variant", VARIANTS)


def corpus(n: int = 24):
    return make_data("texts", text=[answer(*topic) for topic in TOPICS[:n]])


def trained(encoder, folder: Path, data=None, *, run=None, **options) -> Log:
    log = (run or {}).pop("log", None) or Log()
    fit = make_fit(encoder, folder, observers=[log], **({"batch_size": 8} | (run or {})))
    train_contrastive_tension(fit, data or corpus(), **options)
    return log


@pytest.fixture
def unit_encoder(tiny_folder: Path) -> Encoder:
    """The tiny encoder with vectors of length 1."""
    modules = json.loads((tiny_folder / "modules.json").read_text())
    kind = "sentence_transformers.models.Normalize"
    modules.append({"idx": 2, "name": "2", "path": "2_Normalize", "type": kind})
    (tiny_folder / "modules.json").write_text(json.dumps(modules))
    return load(tiny_folder, device="cpu")


def second_weights(checkpoint: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    found = {}
    for path in checkpoint.glob("*.safetensors"):
        found |= {k: v for k, v in load_file(path).items() if k.startswith("head.")}
    return {name.removeprefix("head.module."): tensor for name, tensor in found.items()}


@each_variant
def test_both_encoders_are_trained_and_come_to_differ(variant, new_encoder, tmp_path: Path):
    encoder = new_encoder()
    before = weights(encoder)
    trained(encoder, tmp_path, variant=variant, run={"checkpoint_every": 1})
    second = second_weights(sorted(tmp_path.glob("step-*"))[-1])
    kept = weights(encoder)
    for name, start in before.items():
        assert not torch.equal(kept[name], start)
        assert not torch.equal(second[name], start)
        assert not torch.equal(second[name], kept[name])


def test_the_scale_is_learnt_where_there_is_one(new_encoder, tmp_path: Path):
    for variant in VARIANTS:
        folder = tmp_path / variant
        trained(new_encoder(), folder, variant=variant, scale=7.0, run={"checkpoint_every": 1})
        second = second_weights(sorted(folder.glob("step-*"))[-1])
        learnt = second.get("head.log_scale")
        assert (learnt is None) == (variant == "classic")
        if learnt is not None:
            assert 0 < abs(learnt.item() - torch.tensor(7.0).log().item()) < 0.1


@each_variant
def test_the_second_model_is_the_only_copy(variant, tiny_encoder, tmp_path: Path):
    """While a step runs there are twice the layers of one encoder."""
    gc.collect()
    already = _layers()
    own = sum(isinstance(m, SelfAttention) for m in tiny_encoder.module.modules())
    found = []

    def count(event: Event) -> None:
        if isinstance(event, StepDone):
            gc.collect()
            found.append(_layers() - already)

    trained(tiny_encoder, tmp_path, variant=variant, run={"log": Log(act=count), "epochs": 1})
    assert set(found) == {own}
    gc.collect()
    assert _layers() == already  # and it is gone with the run


def _layers() -> int:
    return sum(type(thing) is SelfAttention for thing in gc.get_objects())  # some warn when asked


@pytest.mark.parametrize("negatives", [1, 3, 7])
def test_a_step_has_as_many_pairs_as_the_batch_size_says(negatives, tiny_encoder, tmp_path: Path):
    """Of 27 texts 24 begin a pair, whatever K is here; each pair has two texts at the most."""
    log = trained(tiny_encoder, tmp_path, corpus(27), variant="classic", negatives=negatives)
    assert [step.rows for step in log.steps] == {1: [8, 8, 8, 2]}.get(negatives, [8, 8, 8])
    assert all(step.rows < step.texts <= 2 * step.rows for step in log.steps)


def test_all_texts_of_an_in_batch_step_are_embedded_by_both(tiny_encoder, tmp_path: Path):
    log = trained(tiny_encoder, tmp_path, corpus(20))
    assert [(step.rows, step.texts) for step in log.steps] == [(8, 16), (8, 16), (4, 8)]


def test_near_duplicates_are_masked_in_a_batch(tiny_encoder, tmp_path: Path):
    data = make_data("texts", text=["apple river", "Apple river!", "engine", "letter"])
    assert [step.masked for step in trained(tiny_encoder, tmp_path, data).steps] == [2]


def test_a_batch_of_near_duplicates_alone_teaches_nothing(tiny_encoder, tmp_path: Path):
    data = make_data("texts", text=["apple", "Apple", "apple!", "river"])
    log = trained(tiny_encoder, tmp_path, data, run={"batch_size": 2, "epochs": 8})
    assert {step.loss == 0.0 for step in log.steps} == {True, False}
    assert all((step.loss == 0.0) == (step.masked == 2) for step in log.steps)


@each_variant
def test_a_run_stops_and_goes_on_bit_for_bit(variant, new_encoder, tmp_path: Path):
    whole, cut, resumed = new_encoder(), new_encoder(), new_encoder()
    run = {"epochs": 2, "checkpoint_every": 2}
    trained(whole, tmp_path / "whole", variant=variant, run=dict(run))
    with pytest.raises(Crash):
        trained(cut, tmp_path / "cut", variant=variant, run={**run, "log": crash_after(3)})
    log = trained(resumed, tmp_path / "cut", variant=variant, run={**run, "resume": True})
    assert log.steps[0].step == 3
    assert same_weights(weights(resumed), weights(whole))


@each_variant
def test_small_parts_give_the_same_gradients(variant, new_encoder, tmp_path: Path):
    whole, parts = new_encoder(), new_encoder()
    for encoder, budget in ((whole, 8192), (parts, 64)):
        run = {"dropout": 0.0, "micro_tokens": budget, "learning_rate": 1e-4}
        trained(encoder, tmp_path / str(budget), variant=variant, run=run)
    after = weights(parts)
    for name, tensor in weights(whole).items():
        torch.testing.assert_close(after[name], tensor, atol=1e-4, rtol=0)


def test_the_classic_variant_learns_an_easy_task(tiny_encoder, tmp_path: Path):
    run = {"epochs": 30, "learning_rate": 1e-3, "warmup": 0.0, "clip": 0.0}
    losses = [
        step.loss for step in trained(tiny_encoder, tmp_path, variant="classic", run=run).steps
    ]
    assert sum(losses[-6:]) < 0.7 * sum(losses[:6])


@each_variant
def test_matryoshka_goes_with_it(variant, new_encoder, tmp_path: Path):
    plain, nested = new_encoder(), new_encoder()
    trained(plain, tmp_path / "a", variant=variant)
    trained(nested, tmp_path / "b", variant=variant, run={"matryoshka": (8,)})
    assert not same_weights(weights(plain), weights(nested))


def test_earlier_layers_do_not(tiny_encoder, tmp_path: Path):
    with pytest.raises(InputError, match="two encoders"):
        trained(tiny_encoder, tmp_path, run={"adaptive_layers": 1})


def test_vectors_of_length_one_leave_the_classic_loss_little_room(unit_encoder, tmp_path: Path):
    notes = {}
    for variant in VARIANTS:
        fit = make_fit(unit_encoder, tmp_path / variant, batch_size=8)
        train_contrastive_tension(fit, corpus(), variant=variant)
        notes[variant] = [note for note in fit.notes if "length 1" in note]
    assert {variant: len(found) for variant, found in notes.items()} == {
        "in-batch": 0,
        "classic": 1,
    }


@pytest.mark.parametrize(
    ("batch_size", "near"), [(4, "--batch-size 8"), (12, "8 or 16"), (7, "--batch-size 8")]
)
def test_a_batch_size_that_makes_no_whole_groups_is_refused(
    batch_size, near, tiny_encoder, tmp_path: Path
):
    with pytest.raises(InputError, match=f"multiple of 8.*found {batch_size}") as caught:
        trained(tiny_encoder, tmp_path, variant="classic", run={"batch_size": batch_size})
    assert near in caught.value.mend


def test_fewer_texts_than_a_group_are_refused(tiny_encoder, tmp_path: Path):
    with pytest.raises(InputError, match="8 distinct texts or more, found 7"):
        trained(tiny_encoder, tmp_path, corpus(7), variant="classic")


@each_variant
def test_one_distinct_text_is_refused(variant, tiny_encoder, tmp_path: Path):
    data = make_data("texts", text=["apple", "Apple!", "apple"])
    with pytest.raises(InputError, match="same text"):
        trained(tiny_encoder, tmp_path, data, variant=variant)


@pytest.mark.parametrize("option", [{"negatives": 0}, {"scale": 0.0}, {"variant": "other"}])
def test_options_out_of_range_are_refused(option):
    with pytest.raises(InputError, match=next(iter(option))):
        resolve_options("contrastive-tension", option)
