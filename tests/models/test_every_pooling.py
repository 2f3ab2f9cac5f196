"""What every way of pooling must do, against the peer's and on its own."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sentence_transformers.sentence_transformer.modules import Pooling
from torch import Tensor

from likewise.models.folder.contents import POOLING_MODES
from likewise.models.pooling import POOLINGS, pool
from likewise.text.packed import Packed, pack

WIDTH = 5
each_pooling = pytest.mark.parametrize("mode", POOLINGS)
some_lengths = st.lists(st.integers(1, 9), min_size=1, max_size=6)


def draw(lengths: list[int], *, hidden_prompt: int = 0, seed: int = 0) -> tuple[Tensor, Packed]:
    """Hidden states [T, 5] of texts whose first tokens, so many, are a prompt left out."""
    packed = pack([[7] * length for length in lengths])
    if hidden_prompt:
        pooled = packed.positions() >= hidden_prompt
        packed = Packed(ids=packed.ids, starts=packed.starts, pooled=pooled)
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(len(packed.ids), WIDTH, generator=generator), packed


def peer(hidden: Tensor, packed: Packed, mode: str, *, prompt: int = 0) -> Tensor:
    """The peer's pooling of the same texts, padded with numbers that must not count."""
    longest = int(packed.lengths.max())
    is_token = torch.arange(longest)[None, :] < packed.lengths[:, None]
    padded = torch.full((*is_token.shape, WIDTH), 1e6)
    padded[is_token] = hidden
    features = {"token_embeddings": padded, "attention_mask": is_token.long()}
    if prompt:
        features["prompt_length"] = prompt
    module = Pooling(WIDTH, pooling_mode=mode, include_prompt=not prompt)
    return module(features)["sentence_embedding"]


def test_the_table_has_every_mode_that_a_folder_can_name():
    assert tuple(POOLINGS) == POOLING_MODES


@each_pooling
@given(lengths=some_lengths, seed=st.integers(0, 99))
def test_vectors_equal_the_peer_s(mode: str, lengths: list[int], seed: int):
    hidden, packed = draw(lengths, seed=seed)
    found = pool(hidden, packed, (mode,))
    torch.testing.assert_close(found, peer(hidden, packed, mode), atol=1e-5, rtol=1e-5)


@each_pooling
@given(lengths=st.lists(st.integers(4, 9), min_size=1, max_size=6))
def test_a_prompt_left_out_is_left_out_as_the_peer_does(mode: str, lengths: list[int]):
    hidden, packed = draw(lengths, hidden_prompt=3)
    found = pool(hidden, packed, (mode,))
    expected = peer(hidden, packed, mode, prompt=3)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@each_pooling
def test_gradients_equal_the_peer_s(mode: str):
    hidden, packed = draw([3, 1, 6])
    twin = hidden.clone().requires_grad_()
    hidden.requires_grad_()
    weights = torch.randn(3, WIDTH, generator=torch.Generator().manual_seed(1))
    (pool(hidden, packed, (mode,)) * weights).sum().backward()
    (peer(twin, packed, mode) * weights).sum().backward()
    torch.testing.assert_close(hidden.grad, twin.grad, atol=1e-5, rtol=1e-5)


@each_pooling
@given(lengths=some_lengths)
def test_other_texts_of_the_batch_change_nothing(mode: str, lengths: list[int]):
    hidden, packed = draw(lengths)
    together = pool(hidden, packed, (mode,))
    for i, states in enumerate(hidden.split(packed.lengths.tolist())):
        alone = pool(states, pack([[7] * len(states)]), (mode,))
        torch.testing.assert_close(together[i], alone[0], atol=1e-6, rtol=1e-6)


@each_pooling
def test_one_token_is_its_own_vector(mode: str):
    hidden, packed = draw([1, 1])
    torch.testing.assert_close(pool(hidden, packed, (mode,)), hidden)


@each_pooling
def test_sums_of_bfloat16_are_float32(mode: str):
    hidden, packed = draw([400])
    found = pool(hidden.bfloat16(), packed, (mode,))
    assert found.dtype == torch.float32
    expected = pool(hidden.bfloat16().double(), packed, (mode,))
    torch.testing.assert_close(found.double(), expected, atol=1e-5, rtol=1e-5)


@each_pooling
def test_a_text_that_is_all_prompt_gets_finite_numbers(mode: str):
    hidden, packed = draw([2, 5], hidden_prompt=3)
    hidden.requires_grad_()
    found = pool(hidden, packed, (mode,))
    found.sum().backward()
    assert found.isfinite().all()
    assert hidden.grad.isfinite().all()


def test_the_battery_sees_a_pooling_that_looks_over_the_border():
    def leaky(hidden: Tensor, packed: Packed) -> Tensor:
        return hidden.mean(dim=0).expand(len(packed), -1)

    hidden, packed = draw([3, 2])
    assert not torch.allclose(leaky(hidden, packed), peer(hidden, packed, "mean"))
