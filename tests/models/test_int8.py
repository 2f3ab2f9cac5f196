from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from conftest import TOPICS, answer, question
from likewise.errors import InputError
from likewise.models import load
from likewise.models.architectures.layers import Linear
from likewise.models.encoder import Encoder
from likewise.models.int8 import ROWS, Int8Linear, loss_of_quality, quantised


def linear(n_in: int, n_out: int, *, bias: bool = True) -> Linear:
    torch.manual_seed(0)
    layer = Linear(n_in, n_out, bias=bias)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.05)
    return layer


def test_integers_come_out_exactly():
    """Rows whose largest value is 127 are rounded to themselves, and so are those weights."""
    layer = linear(16, 8)
    draw = torch.Generator().manual_seed(1)
    whole = torch.randint(-126, 127, (8, 16), generator=draw).float()
    x = torch.randint(-126, 127, (2 * ROWS + 3, 16), generator=draw).float()
    whole[:, 0] = x[:, 0] = 127
    with torch.no_grad():
        layer.weight.copy_(whole)
        found = Int8Linear(layer)(x)
        torch.testing.assert_close(found, x @ whole.T + layer.bias, rtol=1e-5, atol=1e-2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("bias", [True, False])
def test_the_error_is_that_of_rounding_to_127_levels(dtype: torch.dtype, bias: bool):
    layer = linear(384, 96, bias=bias)
    x = torch.randn(700, 384, generator=torch.Generator().manual_seed(2)).to(dtype)
    with torch.no_grad():
        exact = layer(x.float())
        found = Int8Linear(layer)(x)
    assert found.dtype == dtype
    # each of 384 products is off by half a level on either side at most, in root mean square
    # 1 / sqrt(12) of one
    level_x = x.float().abs().amax(1, keepdim=True) / 127
    level_w = layer.weight.detach().abs().amax(1) / 127
    own = layer.weight.detach().square().sum(1) * level_x.square() / 12
    other = x.float().square().sum(1, keepdim=True) * level_w.square() / 12
    expected = (own + other).mean().sqrt()
    assert float((found.float() - exact).square().mean().sqrt()) < 1.5 * float(expected)


def test_a_row_of_zeros_stays_zero():
    layer = linear(16, 4, bias=False)
    x = torch.randn(3, 16)
    x[1] = 0
    assert torch.equal(Int8Linear(layer)(x)[1], torch.zeros(4))


def test_cosines_of_vectors_that_are_the_same_but_for_one():
    exact = np.eye(4, dtype=np.float32)
    found = 3 * exact
    found[2] = [0, 0, 1, 1]
    mean, lowest = loss_of_quality(exact, found)
    assert lowest == pytest.approx(0.5**0.5)
    assert mean == pytest.approx((3 + 0.5**0.5) / 4)


def test_vectors_follow_the_weights_and_stay_near_those_of_float32(tiny_encoder: Encoder):
    texts = [question(*topic) for topic in TOPICS[:40]]
    exact = tiny_encoder.encode(texts, precision="float32")
    mean, lowest = loss_of_quality(exact, tiny_encoder.encode(texts, precision="int8"))
    assert 0.99 < lowest <= mean < 1 - 1e-9
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in tiny_encoder.backbone.layers.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=draw), alpha=0.1)
    changed = tiny_encoder.encode(texts, precision="float32")
    assert loss_of_quality(changed, exact)[0] < 0.999
    assert loss_of_quality(changed, tiny_encoder.encode(texts, precision="int8"))[1] > 0.99


@pytest.mark.slow
def test_of_minilm_hardly_anything_is_lost():
    encoder = load("minilm", device="cpu")
    texts = [text for topic in TOPICS for text in (question(*topic), answer(*topic))]
    exact = encoder.encode(texts, precision="float32")
    mean, lowest = loss_of_quality(exact, encoder.encode(texts, precision="int8"))
    assert mean > 0.995
    assert lowest > 0.98


def test_what_has_no_matrices_of_ours_is_refused(tmp_path: Path):
    vectors = tmp_path / "v.txt"
    vectors.write_text("one 1 0 0\ntwo 0 1 0\n")
    with pytest.raises(InputError, match="no matrices"):
        load(f"static:{vectors}").encode(["one two"], precision="int8")


def test_a_copy_shares_all_but_the_matrices(tiny_encoder: Encoder):
    backbone = tiny_encoder.backbone
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    copy = quantised(backbone)
    assert not any(isinstance(module, Linear) for module in copy.modules())
    assert sum(isinstance(module, Int8Linear) for module in copy.modules()) == sum(
        isinstance(module, Linear) for module in backbone.modules()
    )
    assert copy.tokens is backbone.tokens
    assert all(torch.equal(value, before[name]) for name, value in backbone.state_dict().items())
