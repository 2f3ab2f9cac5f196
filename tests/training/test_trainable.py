"""What the loop asks of a model, be it one that embeds texts or one that scores pairs."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from likewise.models.cross_encoder import CrossEncoder
from likewise.models.encoder import Encoder
from likewise.training.options import TRANSFORMER_RATE
from likewise.training.trainable import Trainable, rate_of, restore_weights
from training.small_runs import same_weights, weights

MODELS = ("new_encoder", "new_static", "new_cross")


@pytest.fixture(params=MODELS)
def new_model(request: pytest.FixtureRequest) -> Callable[[], Trainable]:
    make: Callable[[], Trainable] = request.getfixturevalue(request.param)
    return make


def disturb(model: Trainable) -> None:
    with torch.no_grad():
        for parameter in model.module.parameters():
            parameter.add_(0.5)


def test_weights_come_back_in_place(new_model: Callable[[], Trainable], tmp_path: Path):
    """An optimiser goes on with the very tensors that it has."""
    model = new_model()
    before, places = weights(model), [p.data_ptr() for p in model.module.parameters()]
    model.save(tmp_path / "model")
    disturb(model)
    assert not same_weights(weights(model), before)
    restore_weights(model, tmp_path / "model")
    assert same_weights(weights(model), before)
    assert [p.data_ptr() for p in model.module.parameters()] == places
    assert all(p.requires_grad and p.grad is None for p in model.module.parameters())


def test_another_model_of_the_same_shape_takes_them(
    new_model: Callable[[], Trainable], tmp_path: Path
):
    model, other = new_model(), new_model()
    disturb(model)
    model.save(tmp_path / "model")
    restore_weights(other, tmp_path / "model")
    assert same_weights(weights(other), weights(model))


def test_the_head_of_a_cross_encoder_comes_back_too(
    new_cross: Callable[..., CrossEncoder], tmp_path: Path
):
    cross = new_cross(3)
    heads = [name for name in weights(cross) if name.startswith("head.")]
    assert len(heads) == 4  # pooler and classifier
    before = cross.predict([("apple", "river")])
    cross.save(tmp_path / "cross")
    disturb(cross)
    restore_weights(cross, tmp_path / "cross")
    assert (cross.predict([("apple", "river")]) == before).all()


def test_the_rate_suits_the_family(
    new_encoder: Callable[[], Encoder],
    new_static: Callable[[], Encoder],
    new_cross: Callable[..., CrossEncoder],
):
    assert rate_of(new_encoder()) == rate_of(new_cross()) == TRANSFORMER_RATE
    assert rate_of(new_static()) > 100 * TRANSFORMER_RATE  # a table learns by far larger steps
