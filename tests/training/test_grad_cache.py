"""Losses of a batch in parts: the value and the gradients of the whole."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from likewise.losses import LOSSES
from likewise.models.cross_encoder import CrossEncoder
from likewise.models.encoder import Encoder
from likewise.models.matmul import FEWEST_ROWS
from likewise.text.packed import Packed, pack
from likewise.training.grad_cache import backward, split_packed
from likewise.training.objective import Objective
from likewise.training.options import TrainingOptions
from likewise.training.pair_batch import PairRows, build_pair_examples, collate_pairs
from likewise.training.seeding import torch_seed
from likewise.training.wrappers import wrap
from training.random_batches import draw_batch, make_objective
from training.small_runs import pairs, ranking, scored, yes_or_no

every_loss = pytest.mark.parametrize("name", LOSSES)


def gradients(
    encoder: Encoder | CrossEncoder, objective: Objective, run: Callable[[], Tensor]
) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss that `run` gives, and what it left in every parameter; zero if nothing."""
    modules = nn.ModuleDict({"encoder": encoder.module})
    if objective.head is not None:
        modules["head"] = objective.head
    modules.zero_grad(set_to_none=True)
    loss = run()
    found = {
        name: torch.zeros_like(p) if p.grad is None else p.grad.clone()
        for name, p in modules.named_parameters()
    }
    return loss.detach(), found


def assert_same(
    found: tuple[Tensor, dict[str, Tensor]], expected: tuple[Tensor, dict[str, Tensor]]
) -> None:
    """Equal to 1e-5 of the norm of the whole gradient, in every parameter."""
    torch.testing.assert_close(found[0], expected[0], rtol=1e-5, atol=0)
    whole = torch.stack([g.norm() for g in expected[1].values()]).norm()
    assert whole > 0
    for name, gradient in expected[1].items():
        assert (found[1][name] - gradient).norm() <= 1e-5 * whole, name


@every_loss
@pytest.mark.parametrize("budget", [64, 30, 1])
@pytest.mark.parametrize("with_prompts", [False, True])
def test_a_batch_in_parts_has_the_gradients_of_the_plain_step(
    name: str, budget: int, with_prompts: bool, tiny_encoder: Encoder
):
    batch = draw_batch(name, with_prompts=with_prompts)
    objective = make_objective(name, tiny_encoder)
    assert len(split_packed(batch.packed, budget)) > 1

    def plain() -> Tensor:
        loss = objective.loss(tiny_encoder.embed(batch.packed), batch)
        loss.backward()
        return loss

    def cached() -> Tensor:
        return backward(
            tiny_encoder.embed, batch.packed, lambda e: objective.loss(e, batch), budget
        )

    expected = gradients(tiny_encoder, objective, plain)
    assert_same(gradients(tiny_encoder, objective, cached), expected)


@pytest.mark.parametrize("form", ["pairs", "lists"])
@pytest.mark.parametrize("with_dropout", [False, True])
def test_so_has_a_batch_of_pairs(form: str, with_dropout: bool, new_cross):
    """Whose tokens are of two types."""
    cross, objective = new_cross(), yes_or_no() if form == "pairs" else ranking()
    data = scored(12) if form == "pairs" else pairs(6)
    source = PairRows(
        examples=build_pair_examples(cross, data), tokenizer=cross.pairs, form=form, negatives=3
    )
    batch = collate_pairs(source, np.arange(len(data)), device=torch.device("cpu"))
    cross.module.train(with_dropout)
    parts = split_packed(batch.packed, 64)
    assert len(parts) > 2

    def by_hand() -> Tensor:
        with torch_seed(9):
            logits = torch.cat([cross.embed(part) for part in parts])
        loss = objective.loss(logits, batch)
        loss.backward()
        return loss

    def cached() -> Tensor:
        with torch_seed(9):
            return backward(cross.embed, batch.packed, lambda e: objective.loss(e, batch), 64)

    expected = gradients(cross, objective, by_hand)
    assert_same(gradients(cross, objective, cached), expected)
    if not with_dropout:
        whole = objective.loss(cross.embed(batch.packed), batch)
        torch.testing.assert_close(expected[0], whole.detach(), rtol=1e-4, atol=0)


@every_loss
@pytest.mark.parametrize(
    "options",
    [{}, {"matryoshka": (16, 5), "orthogonality": 0.1}, {"matryoshka": (8,), "adaptive_layers": 1}],
    ids=["alone", "nested", "layers"],
)
def test_each_part_replays_its_dropout(name: str, options: dict, tiny_encoder: Encoder):
    """With prompts, with negatives where the loss takes them, whatever goes around it."""
    batch = draw_batch(name, with_prompts=True)
    plain = make_objective(name, tiny_encoder)
    if options and not plain.nests:
        pytest.skip("nothing goes around this one")
    objective = wrap(plain, TrainingOptions(**options), tiny_encoder)
    embed = objective.embed(tiny_encoder)
    tiny_encoder.module.train()
    parts = split_packed(batch.packed, 40)
    assert len(parts) > 2
    ends = []

    def by_hand() -> Tensor:
        with torch_seed(9):
            embeddings = torch.cat([embed(part) for part in parts])
            ends.append(torch.get_rng_state())
        loss = objective.loss(embeddings, batch)
        loss.backward()
        return loss

    def cached() -> Tensor:
        with torch_seed(9):
            loss = backward(embed, batch.packed, lambda e: objective.loss(e, batch), 40)
            ends.append(torch.get_rng_state())
        return loss

    expected = gradients(tiny_encoder, objective, by_hand)
    assert_same(gradients(tiny_encoder, objective, cached), expected)
    assert torch.equal(*ends)  # and the next step draws what it would have drawn


def test_dropout_makes_a_difference_at_all(tiny_encoder: Encoder):
    packed = draw_batch("mnr").packed
    tiny_encoder.module.train()
    with torch_seed(9):
        assert not torch.equal(tiny_encoder.embed(packed), tiny_encoder.embed(packed))


def test_a_contrastive_batch_stays_whole(tiny_encoder: Encoder):
    batch = draw_batch("mnr")
    objective = make_objective("mnr", tiny_encoder)
    seen = []

    def loss(embeddings: Tensor) -> Tensor:
        seen.append(len(embeddings))
        return objective.loss(embeddings, batch)

    backward(tiny_encoder.embed, batch.packed, loss, 1)
    assert seen == [len(batch.packed)]


def test_a_batch_within_the_budget_goes_through_once(tiny_encoder: Encoder):
    batch = draw_batch("mnr")
    objective = make_objective("mnr", tiny_encoder)
    seen = []

    def embed(packed: Packed) -> Tensor:
        seen.append(len(packed))
        return tiny_encoder.embed(packed)

    backward(embed, batch.packed, lambda e: objective.loss(e, batch), len(batch.packed.ids))
    assert seen == [len(batch.packed)]


def test_after_every_pass_of_a_part_memory_may_be_given_back(tiny_encoder: Encoder):
    batch = draw_batch("mnr")
    objective = make_objective("mnr", tiny_encoder)
    calls: list[None] = []

    def count(budget: int) -> int:
        calls.clear()
        backward(
            tiny_encoder.embed,
            batch.packed,
            lambda e: objective.loss(e, batch),
            budget,
            after_part=lambda: calls.append(None),
        )
        return len(calls)

    parts = len(split_packed(batch.packed, 40))
    assert count(40) == 2 * (parts - 1)  # the last part goes through once, with its graph
    assert count(len(batch.packed.ids)) == 0


def test_a_loss_of_nothing_is_refused(tiny_encoder: Encoder):
    batch = draw_batch("mnr")
    with pytest.raises((ValueError, RuntimeError)):
        backward(tiny_encoder.embed, batch.packed, lambda _: torch.ones(()), 1)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=20), st.integers(1, 40))
def test_parts_keep_texts_and_order_and_the_budget(lengths: list[int], budget: int):
    packed = pack([list(range(length)) for length in lengths])
    packed = Packed(ids=packed.ids, starts=packed.starts, pooled=packed.ids > 0)
    parts = split_packed(packed, budget)
    assert torch.equal(torch.cat([part.ids for part in parts]), packed.ids)
    assert torch.equal(torch.cat([part.pooled for part in parts]), packed.pooled)
    assert torch.equal(torch.cat([part.lengths for part in parts]), packed.lengths)
    assert all(len(part.ids) <= budget or len(part) == 1 for part in parts)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_both_passes_of_a_part_give_the_same_bits(dtype: torch.dtype, tiny_encoder: Encoder):
    """At sizes where a product without gradients could take another way than one with them."""
    part = FEWEST_ROWS + 64
    batch = pack([[5 + (i + j) % 90 for j in range(16)] for i in range(3 * part // 16)])
    tiny_encoder.module.train()
    seen: list[Tensor] = []

    def embed(stream: Packed) -> Tensor:
        vectors = tiny_encoder.embed(stream, dtype=dtype)
        seen.append(vectors.detach().clone())
        return vectors

    backward(embed, batch, lambda vectors: vectors.float().square().sum(), part)
    tiny_encoder.module.eval()
    tiny_encoder.module.zero_grad(set_to_none=True)
    first, second, _, *again = seen
    for found, expected in zip(again, (first, second), strict=True):
        assert torch.equal(found, expected)
