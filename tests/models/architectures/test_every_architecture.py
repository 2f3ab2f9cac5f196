"""What every family must do, native or not: add a line to `families.CONFIGS` for a new one."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from likewise.models.architectures import ARCHITECTURES
from likewise.models.architectures.names import from_checkpoint, to_checkpoint
from likewise.text.packed import pack
from models.architectures.families import (
    CONFIGS,
    MIXED,
    assert_same_as_transformers,
    draw_texts,
    embed_alone,
    gradients,
    make_twins,
    split,
)

each_family = pytest.mark.parametrize("family", ARCHITECTURES)


def test_every_family_has_a_small_model_here():
    assert CONFIGS.keys() == set(ARCHITECTURES)


@each_family
def test_hidden_states_and_gradients_equal_those_of_transformers(family: str):
    assert_same_as_transformers(make_twins(family))


@each_family
def test_every_parameter_gets_a_gradient(family: str):
    twins = make_twins(family)
    twins.ours(pack(draw_texts((5, 9)))).square().sum().backward()
    without = [n for n, p in twins.ours.named_parameters() if p.grad is None or not p.grad.any()]
    assert without == []


@each_family
def test_a_text_has_the_same_hidden_states_alone_and_in_any_batch(family: str):
    twins = make_twins(family)
    texts = draw_texts(MIXED)
    packed = pack(texts)
    with torch.no_grad():
        together = split(twins.ours(packed), packed)
        for inside, alone in zip(together, embed_alone(twins.ours, texts), strict=True):
            torch.testing.assert_close(inside, alone, atol=1e-5, rtol=0)


@each_family
@settings(max_examples=8, deadline=None)
@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=12), seed=st.integers(0, 99))
def test_the_order_of_texts_changes_only_the_order_of_the_states(
    family: str, lengths: list[int], seed: int
):
    twins = make_twins(family)
    texts = draw_texts(lengths, seed=seed)
    order = np.random.default_rng(seed).permutation(len(texts))
    shuffled = [texts[i] for i in order]
    with torch.no_grad():
        plain, moved = (split(twins.ours(pack(t)), pack(t)) for t in (texts, shuffled))
    for place, i in enumerate(order):
        torch.testing.assert_close(moved[place], plain[i], atol=1e-5, rtol=0)


@each_family
def test_renaming_there_and_back_gives_the_same_names_and_tensors(family: str):
    twins = make_twins(family)
    names = twins.architecture.names(twins.config)
    back = {**twins.left_over, **to_checkpoint(twins.ours.state_dict(), names)}
    original = twins.theirs.state_dict()
    assert back.keys() == original.keys()
    for name, tensor in original.items():
        torch.testing.assert_close(back[name], tensor, atol=0, rtol=0)


@each_family
def test_every_weight_of_ours_has_a_name_in_the_checkpoint(family: str):
    twins = make_twins(family)
    assert twins.architecture.names(twins.config).keys() == twins.ours.state_dict().keys()


@each_family
def test_a_missing_weight_is_named(family: str):
    twins = make_twins(family)
    names = twins.architecture.names(twins.config)
    weights = twins.theirs.state_dict()
    lost = next(iter(names.values()))[0]
    del weights[lost]
    assert from_checkpoint(weights, names)[2] == [lost]


@each_family
def test_the_width_is_that_of_the_hidden_states(family: str):
    twins = make_twins(family)
    assert twins.ours(pack(draw_texts((4,)))).shape == (4, twins.ours.width)


@each_family
def test_the_longest_text_that_is_allowed_has_positions(family: str):
    twins = make_twins(family, max_position_embeddings=20)
    longest = min(twins.architecture.most_tokens(twins.config), 10_000)  # a table has no positions
    theirs, ours = twins.hidden(draw_texts((longest,)))
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


@each_family
def test_bfloat16_stays_near_float32(family: str):
    twins = make_twins(family)
    packed = pack(draw_texts(MIXED))
    with torch.no_grad():
        wide = twins.ours(packed)
        narrow = twins.ours(packed, dtype=torch.bfloat16)
    has_arithmetic = family != "static"  # which looks its rows up
    assert narrow.dtype == (torch.bfloat16 if has_arithmetic else torch.float32)
    cosines = F.cosine_similarity(narrow.float(), wide, dim=1)
    assert cosines.min() > 0.99


@each_family
def test_dropout_works_in_training_alone_and_follows_the_seed(family: str):
    twins = make_twins(family, **dropouts(family, 0.3))
    packed = pack(draw_texts((9, 4, 9)))

    def run(seed: int) -> torch.Tensor:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return twins.ours(packed)

    assert torch.equal(run(1), run(2))
    twins.ours.train()
    assert torch.equal(run(1), run(1))
    assert not torch.equal(run(1), run(2))


@each_family
def test_training_without_dropout_changes_nothing(family: str):
    twins = make_twins(family, **dropouts(family, 0.0))
    packed = pack(draw_texts((9, 4, 9)))
    calm = twins.ours(packed)
    torch.testing.assert_close(twins.ours.train()(packed), calm, atol=1e-6, rtol=0)


def test_the_parity_check_sees_a_wrong_weight():
    twins = make_twins("bert")
    with torch.no_grad():
        twins.ours.layers[1].attention.qkv.bias[0] += 1e-2
    with pytest.raises(AssertionError):
        assert_same_as_transformers(twins)


def test_the_parity_check_sees_a_wrong_gradient():
    twins = make_twins("bert")
    assert_same_as_transformers(twins, (5, 3))
    mine, other = gradients(twins)["norm.bias"]
    mine += 1e-3
    assert not torch.allclose(*gradients(twins)["norm.bias"], atol=1e-5)
    assert other is not mine


def dropouts(family: str, probability: float) -> dict[str, float]:
    """Every kind of dropout that the family's configuration knows."""
    names = {
        "distilbert": ("dropout", "attention_dropout"),
        "static": ("dropout",),
        "modernbert": ("embedding_dropout", "attention_dropout", "mlp_dropout"),
    }
    usual = ("hidden_dropout_prob", "attention_probs_dropout_prob")
    return dict.fromkeys(names.get(family, usual), probability)
