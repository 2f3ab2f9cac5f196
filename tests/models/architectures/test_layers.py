import pytest
import torch
from torch import nn
from torch.nn import functional as F

from likewise.models.architectures.layers import (
    LayerNorm,
    Linear,
    PostNormLayer,
    SelfAttention,
    initialise,
    keep,
    kept_rows,
    steps_between,
)
from likewise.models.attention import plan_attention
from likewise.text.packed import pack

DRAW = torch.Generator().manual_seed(0)


def filled(module: nn.Module) -> nn.Module:
    initialise(module, std=0.2, generator=torch.Generator().manual_seed(1))
    return module


@pytest.mark.parametrize("bias", [True, False])
def test_a_linear_layer_equals_that_of_torch(bias: bool):
    ours = filled(Linear(4, 3, bias=bias))
    theirs = nn.Linear(4, 3, bias=bias)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(5, 4, generator=DRAW)
    torch.testing.assert_close(ours(x), theirs(x))


@pytest.mark.parametrize("bias", [True, False])
def test_a_norm_equals_that_of_torch(bias: bool):
    ours = LayerNorm(4, eps=1e-3, bias=bias)
    theirs = nn.LayerNorm(4, eps=1e-3, bias=bias)
    x = torch.randn(5, 4, generator=DRAW)
    torch.testing.assert_close(ours(x), theirs(x))


@pytest.mark.parametrize("module", [Linear(4, 4), LayerNorm(4, eps=1e-5)], ids=["linear", "norm"])
def test_weights_stay_float32_where_the_stream_is_bfloat16(module: nn.Module):
    filled(module)
    out = module(torch.ones(2, 4, dtype=torch.bfloat16))
    assert out.dtype == torch.bfloat16
    out.sum().backward()
    assert {p.grad.dtype for p in module.parameters()} == {torch.float32}


def test_attention_mixes_each_text_with_itself_alone():
    attention = filled(SelfAttention(6, 2, dropout=0.0))
    plan = plan_attention(torch.tensor([3, 2]), device=torch.device("cpu"))
    x = torch.randn(5, 6, generator=DRAW)
    changed = x.clone()
    changed[3:] += 1
    before, after = attention(x, plan), attention(changed, plan)
    assert torch.equal(before[:3], after[:3])
    assert not torch.allclose(before[3:], after[3:])


def test_a_layer_follows_the_formula_of_bert():
    layer = filled(
        PostNormLayer(6, 2, 10, activation="gelu", eps=1e-5, dropout=0.1, attention_dropout=0.1)
    ).eval()
    plan = plan_attention(torch.tensor([4]), device=torch.device("cpu"))
    x = torch.randn(4, 6, generator=DRAW)
    inside = layer.attention_norm(x + layer.attention(x, plan))
    expected = layer.norm(inside + layer.down(F.gelu(layer.up(inside))))
    torch.testing.assert_close(layer(x, plan), expected)


def test_drawing_weights_follows_the_generator_and_spares_norms():
    layer = filled(nn.Sequential(Linear(50, 50), LayerNorm(50, eps=1e-5)))
    again = filled(nn.Sequential(Linear(50, 50), LayerNorm(50, eps=1e-5)))
    assert torch.equal(layer[0].weight, again[0].weight)
    assert layer[0].weight.std().item() == pytest.approx(0.2, rel=0.1)
    assert not layer[0].bias.any()
    assert (layer[1].weight == 1).all()
    assert not layer[1].bias.any()


def test_a_layer_gives_the_rows_asked_for_and_no_others():
    layer = filled(
        PostNormLayer(6, 2, 9, activation="gelu", eps=1e-12, dropout=0.0, attention_dropout=0.0)
    ).eval()
    packed = pack([[1] * 3, [1] * 5])
    plan = plan_attention(packed.lengths, device=packed.ids.device)
    x = torch.randn(8, 6, generator=DRAW)
    rows = torch.tensor([0, 3])
    torch.testing.assert_close(layer(x, plan, None, rows), layer(x, plan)[rows], atol=1e-6, rtol=0)


def test_only_the_last_layer_is_asked_for_fewer_rows():
    packed = pack([[1] * 3, [1] * 5])
    first, second, last = kept_rows(packed, first_only=True, layers=3)
    assert first is None
    assert second is None
    assert last is not None
    assert last.tolist() == [0, 3]
    assert kept_rows(packed, first_only=False, layers=2) == [None, None]
    x = torch.arange(16.0).view(8, 2)
    assert keep(x, None) is x
    assert torch.equal(keep(x, last), x[[0, 3]])


def test_a_step_between_the_halves_of_a_layer_changes_what_the_second_reads():
    options = {"activation": "gelu", "eps": 1e-5, "dropout": 0.0, "attention_dropout": 0.0}
    layer = filled(PostNormLayer(8, 2, 16, **options))
    x, plan = (
        torch.randn(5, 8, generator=DRAW),
        plan_attention(torch.tensor([5]), device=torch.device("cpu")),
    )
    halfway = layer.attention_norm(x + layer.attention(x, plan))
    moved = layer(x, plan, None, None, lambda half: 2 * half)
    expected = layer.norm(2 * halfway + layer.down(F.gelu(layer.up(2 * halfway))))
    torch.testing.assert_close(moved, expected)


def test_a_decoder_has_a_step_for_each_layer_and_an_encoder_has_none():
    assert steps_between((), 3) == [None, None, None]
    steps = [torch.relu, torch.tanh]
    assert steps_between(steps, 2) == steps
    with pytest.raises(ValueError, match="3 layers"):
        steps_between(steps, 3)
