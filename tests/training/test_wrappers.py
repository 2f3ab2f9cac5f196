"""What goes around any loss, put together by hand and on the loop."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from likewise.errors import InputError
from likewise.losses import LOSSES, orthogonality
from likewise.models.encoder import Encoder
from likewise.training.batch import Batch, collate
from likewise.training.examples import build_examples
from likewise.training.objective import Objective, objective_of
from likewise.training.options import TrainingOptions
from likewise.training.wrappers import wrap
from training.random_batches import draw_batch, make_objective
from training.small_runs import (
    Crash,
    Log,
    cosine,
    crash_after,
    labelled,
    make_data,
    make_fit,
    mnr,
    pairs,
    same_weights,
    scored,
    triplets,
    weights,
)

WIDTH = 32
every_loss = pytest.mark.parametrize("name", LOSSES)


def wrapped(objective: Objective, encoder: Encoder, **options) -> Objective:
    return wrap(objective, TrainingOptions(**options), encoder)


def cut(embeddings: Tensor, kept: int) -> Tensor:
    """The first dimensions at length 1, zeros behind."""
    first = F.normalize(embeddings[:, :kept], dim=1)
    return torch.cat([first, torch.zeros(len(embeddings), WIDTH - kept)], dim=1)


def embeddings_for(batch: Batch, layers: int = 1) -> Tensor:
    draw = torch.Generator().manual_seed(8)
    return torch.randn(len(batch.packed), layers * WIDTH, generator=draw).requires_grad_()


def by_hand(objective: Objective, batch: Batch, layers: list[Tensor]) -> Tensor:
    """The last layer's loss, the mean of the others', and their divergences (Li et al. 2024)."""
    *earlier, last = layers
    target = (last.detach() / 0.3).softmax(dim=1)
    total = objective.loss(last, batch)
    for layer in earlier:
        apart = (target * (target.log() - (layer / 0.3).log_softmax(dim=1))).sum(dim=1).mean()
        total = total + objective.loss(layer, batch) / len(earlier) + 0.3 * apart
    return total


def assert_same(found: Tensor, expected: Tensor, embeddings: Tensor) -> None:
    """The value, and its gradient."""
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    gradients = (torch.autograd.grad(loss, embeddings)[0] for loss in (found, expected))
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-6)


def test_without_an_option_it_is_the_objective_itself(tiny_encoder: Encoder):
    objective = mnr()
    assert wrapped(objective, tiny_encoder) is objective


@every_loss
def test_matryoshka_is_the_sum_of_the_loss_on_shorter_vectors(name: str, tiny_encoder: Encoder):
    """The whole vector among them."""
    batch, objective = draw_batch(name), make_objective(name, tiny_encoder)
    embeddings = embeddings_for(batch)
    found = wrapped(objective, tiny_encoder, matryoshka=(16, 5)).loss(embeddings, batch)
    expected = sum(objective.loss(cut(embeddings, kept), batch) for kept in (WIDTH, 16, 5))
    assert_same(found, expected, embeddings)


def test_the_whole_width_counts_once_if_it_is_named(tiny_encoder: Encoder):
    batch, objective = draw_batch("mnr"), mnr()
    embeddings = embeddings_for(batch)
    losses = [
        wrapped(objective, tiny_encoder, matryoshka=given).loss(embeddings, batch)
        for given in ((WIDTH, 8), (8,), (8, WIDTH))
    ]
    torch.testing.assert_close(losses[0], losses[1])
    torch.testing.assert_close(losses[0], losses[2])


@every_loss
def test_adaptive_layers_are_the_loss_of_the_last_layer_and_of_those_drawn(
    name: str, tiny_encoder: Encoder
):
    """Of two layers there is one to draw."""
    batch, objective = draw_batch(name), make_objective(name, tiny_encoder)
    embeddings = embeddings_for(batch, layers=2)
    adapted = wrapped(objective, tiny_encoder, adaptive_layers=1)
    expected = by_hand(objective, batch, list(embeddings.chunk(2, dim=1)))
    assert_same(adapted.loss(embeddings, batch), expected, embeddings)
    assert adapted.embed(tiny_encoder) == tiny_encoder.embed_layers


def test_all_earlier_layers_are_taken_where_more_are_asked_for(tiny_encoder: Encoder):
    batch, objective = draw_batch("mnr"), mnr()
    embeddings = embeddings_for(batch, layers=4)
    adapted = wrapped(objective, tiny_encoder, adaptive_layers=99)
    expected = by_hand(objective, batch, list(embeddings.chunk(4, dim=1)))
    assert_same(adapted.loss(embeddings, batch), expected, embeddings)


def test_a_model_of_one_layer_has_none_to_draw(tiny_encoder: Encoder):
    batch, objective = draw_batch("mnr"), mnr()
    embeddings = embeddings_for(batch, layers=1)
    adapted = wrapped(objective, tiny_encoder, adaptive_layers=2)
    assert_same(adapted.loss(embeddings, batch), objective.loss(embeddings, batch), embeddings)


def drawn(encoder: Encoder, *, seed: int, step: int, count: int = 2, layers: int = 7) -> list[int]:
    """The earlier layers that a step trains: those that get a gradient."""
    batch = draw_batch("mnr")
    batch = Batch(
        packed=batch.packed, rows=batch.rows, texts=batch.texts, picks=batch.picks, values={},
        step=step,
    )  # fmt: skip
    embeddings = embeddings_for(batch, layers=layers)
    wrapped(mnr(), encoder, adaptive_layers=count, seed=seed).loss(embeddings, batch).backward()
    per_layer = embeddings.grad.view(len(embeddings), layers, WIDTH).abs().sum(dim=(0, 2))
    found: list[int] = per_layer.nonzero().flatten().tolist()
    assert found.pop() == layers - 1  # the last one is always trained
    return found


def test_layers_are_drawn_from_seed_and_step_alone(tiny_encoder: Encoder):
    first = [drawn(tiny_encoder, seed=1, step=step) for step in range(12)]
    again = [drawn(tiny_encoder, seed=1, step=step) for step in reversed(range(12))]
    assert first == again[::-1]
    assert all(len(layers) == 2 for layers in first)
    assert {layer for layers in first for layer in layers} == set(range(6))
    assert [drawn(tiny_encoder, seed=2, step=step) for step in range(12)] != first


def test_orthogonality_is_added_for_each_role(tiny_encoder: Encoder):
    data = triplets(6)
    batch = collate(
        build_examples(tiny_encoder, data),
        np.arange(6),
        layout="contrast",
        device=torch.device("cpu"),
    )
    embeddings, objective = embeddings_for(batch), mnr()
    roles = [embeddings[batch.picks[role]] for role in ("anchor", "positive", "negative")]
    expected = objective.loss(embeddings, batch) + 0.7 * sum(map(orthogonality, roles)) / 3
    found = wrapped(objective, tiny_encoder, orthogonality=0.7).loss(embeddings, batch)
    assert_same(found, expected, embeddings)


def test_a_text_that_stands_twice_in_a_role_is_not_spread_from_itself(tiny_encoder: Encoder):
    data = make_data("pairs", anchor=["apple", "apple", "river"], positive=["a", "guide", "home"])
    batch = collate(
        build_examples(tiny_encoder, data),
        np.arange(3),
        layout="contrast",
        device=torch.device("cpu"),
    )
    embeddings, objective = embeddings_for(batch), mnr()
    anchors = embeddings[batch.picks["anchor"][[0, 2]]]
    positives = embeddings[batch.picks["positive"]]
    added = (orthogonality(anchors) + orthogonality(positives)) / 2
    found = wrapped(objective, tiny_encoder, orthogonality=1.0).loss(embeddings, batch)
    assert_same(found, objective.loss(embeddings, batch) + added, embeddings)


def test_a_role_with_one_text_has_nothing_to_spread(tiny_encoder: Encoder):
    data = make_data("scored", sentence1=["apple"], sentence2=["river"], score=[1.0])
    batch = collate(
        build_examples(tiny_encoder, data), np.arange(1), layout="rows", device=torch.device("cpu")
    )
    embeddings = embeddings_for(batch)
    found = wrapped(cosine(), tiny_encoder, orthogonality=1.0).loss(embeddings, batch)
    torch.testing.assert_close(found, cosine().loss(embeddings, batch))


def test_all_three_together(tiny_encoder: Encoder):
    """Each length of each layer is spread in its own width: 1 / 8 of 8 dimensions, not 1 / 32."""
    batch, objective = draw_batch("mnr"), mnr()
    embeddings = embeddings_for(batch, layers=2)
    options = {"matryoshka": (8,), "adaptive_layers": 1, "orthogonality": 0.5}

    def inner(layer: Tensor, batch: Batch) -> Tensor:
        total = torch.zeros(())
        for kept in (WIDTH, 8):
            used = [layer[places.unique()][:, :kept] for places in batch.picks.values()]
            total = total + objective.loss(cut(layer, kept), batch)
            total = total + 0.5 * sum(map(orthogonality, used)) / len(used)
        return total

    expected = by_hand(Objective(loss=inner), batch, list(embeddings.chunk(2, dim=1)))
    found = wrapped(objective, tiny_encoder, **options).loss(embeddings, batch)
    assert_same(found, expected, embeddings)


@pytest.mark.parametrize("name", [n for n, s in LOSSES.items() if s.head or s.guided or s.grouped])
def test_what_a_loss_is_made_of_stays(name: str, tiny_encoder: Encoder):
    objective = make_objective(name, tiny_encoder)
    around = wrapped(objective, tiny_encoder, matryoshka=(8,), adaptive_layers=1)
    assert around.head is objective.head
    assert (around.feed, around.contrastive) == (objective.feed, objective.contrastive)


WRAPPERS = {
    "matryoshka": {"matryoshka": (16, 8)},
    "layers": {"adaptive_layers": 2},
    "orthogonality": {"orthogonality": 0.5},
    "all": {"matryoshka": (16, 8), "adaptive_layers": 2, "orthogonality": 0.5},
}
every_wrapper = pytest.mark.parametrize("options", WRAPPERS.values(), ids=WRAPPERS)


def first_loss(encoder: Encoder, folder: Path, **options) -> float:
    log = Log()
    make_fit(encoder, folder, observers=[log], dropout=0.0, epochs=0.1, **options)(
        scored(24), cosine()
    )
    return log.steps[0].loss


def test_on_the_loop_the_lengths_add_up(new_encoder: Callable[[], Encoder], tmp_path: Path):
    found = first_loss(new_encoder(), tmp_path / "nested", matryoshka=(16, 8), batch_size=24)
    encoder, data = new_encoder(), scored(24)
    sides = [
        torch.from_numpy(encoder.encode(data.texts(role), precision="float32"))
        for role in ("sentence1", "sentence2")
    ]
    scores = torch.tensor(data.numbers("score") / 5)
    expected = sum(
        F.mse_loss(F.cosine_similarity(*(side[:, :kept] for side in sides)), scores.float())
        for kept in (32, 16, 8)
    )
    assert found == pytest.approx(float(expected), rel=1e-5)


def test_on_the_loop_earlier_layers_are_trained(new_deep: Callable[[], Encoder], tmp_path: Path):
    plain = first_loss(new_deep(), tmp_path / "plain", batch_size=24)
    adapted = first_loss(new_deep(), tmp_path / "adapted", adaptive_layers=99, batch_size=24)
    encoder, data = new_deep(), scored(24)
    batch = collate(
        build_examples(encoder, data), np.arange(24), layout="rows", device=torch.device("cpu")
    )
    with torch.no_grad():
        layers = list(encoder.embed_layers(batch.packed).chunk(5, dim=1))
        expected = by_hand(cosine(), batch, layers)
        assert plain == pytest.approx(float(cosine().loss(layers[-1], batch)), rel=1e-5)
    assert adapted == pytest.approx(float(expected), rel=1e-5)


@every_wrapper
def test_parts_change_the_memory_and_not_the_weights(
    options: dict, new_deep: Callable[[], Encoder], tmp_path: Path
):
    whole, parts = new_deep(), new_deep()
    usual = {"dropout": 0.0, "batch_size": 12, "learning_rate": 1e-4}
    log = Log()
    make_fit(whole, tmp_path / "a", **usual, **options)(pairs(24), mnr())
    fit = make_fit(parts, tmp_path / "b", observers=[log], micro_tokens=64, **usual, **options)
    fit(pairs(24), mnr())
    assert fit.plan.parts_a_step > 1
    for name, tensor in weights(whole).items():
        # Adam divides by the gradient's own size: a last bit there may be a step of the rate
        torch.testing.assert_close(weights(parts)[name], tensor, rtol=0, atol=2e-4)


@pytest.mark.parametrize("options", [WRAPPERS["layers"], WRAPPERS["all"]], ids=["layers", "all"])
def test_a_run_that_was_cut_off_ends_as_if_it_had_not_been(
    options: dict, new_deep: Callable[[], Encoder], tmp_path: Path
):
    usual = {"epochs": 2, "checkpoint_every": 5, **options}

    whole, cut_off, resumed = new_deep(), new_deep(), new_deep()
    make_fit(whole, tmp_path / "whole", **usual)(pairs(24), mnr())
    with pytest.raises(Crash):
        make_fit(cut_off, tmp_path / "cut", observers=[crash_after(8)], **usual)(pairs(24), mnr())
    log = Log()
    fit = make_fit(resumed, tmp_path / "cut", observers=[log], resume=True, **usual)
    fit(pairs(24), mnr())
    assert log.steps[0].step == 6
    assert same_weights(weights(resumed), weights(whole))


def opened(fit) -> list[str]:
    """What the run does once it is known to be right."""
    done: list[str] = []
    fit.begin = lambda: done.append("begin")
    fit.announce = lambda _: done.append("announce")
    return done


def test_more_dimensions_than_a_vector_has_are_refused(tiny_encoder: Encoder, tmp_path: Path):
    fit = make_fit(tiny_encoder, tmp_path, matryoshka=(16, 33))
    done = opened(fit)
    with pytest.raises(InputError, match="this model has 32 dimensions, found 33") as caught:
        fit(pairs(24), mnr())
    assert "--matryoshka" in caught.value.mend
    assert done == []


def test_layers_of_a_model_that_has_none_are_refused(
    new_static: Callable[[], Encoder], tmp_path: Path
):
    fit = make_fit(new_static(), tmp_path, adaptive_layers=1)
    done = opened(fit)
    with pytest.raises(InputError, match="cannot be trained one by one") as caught:
        fit(pairs(24), mnr())
    assert "--adaptive-layers" in caught.value.mend
    assert done == []


@pytest.mark.parametrize(
    "options",
    [{"matryoshka": (8,)}, {"adaptive_layers": 1}, {"orthogonality": 0.1}],
    ids=["matryoshka", "adaptive_layers", "orthogonality"],
)
def test_a_cross_encoder_has_no_vectors_to_wrap(options: dict, new_cross, tmp_path: Path):
    fit = make_fit(new_cross(), tmp_path, **options)
    done = opened(fit)
    (name,) = options
    with pytest.raises(InputError, match=f"{name} is about vectors") as caught:
        fit(scored(24), Objective(loss=lambda logits, _: logits.mean()))
    assert f"--{name.replace('_', '-')}" in caught.value.mend
    assert done == []


def test_static_vectors_can_be_nested(new_static: Callable[[], Encoder], tmp_path: Path):
    encoder, log = new_static(), Log()
    before = weights(encoder)
    fit = make_fit(encoder, tmp_path, observers=[log], matryoshka=(8,), epochs=2, batch_size=8)
    fit(labelled(24), objective_of(LOSSES["batch-hard-soft"]))
    assert len(log.steps) == 6
    assert not same_weights(weights(encoder), before)
