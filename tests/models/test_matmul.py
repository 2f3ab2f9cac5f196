import pytest
import torch
from torch.nn import functional as F

from likewise.models.matmul import (
    ACTIVATIONS,
    FEWEST_ROWS,
    check_activation,
    keep_reordered,
    linear,
)

ROWS = FEWEST_ROWS + 44
CLOSE = {torch.float32: 1e-5, torch.bfloat16: 2e-2}


def operands(dtype: torch.dtype, *, rows: int = ROWS, n_in: int = 48, n_out: int = 80):
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(rows, n_in, generator=draw).to(dtype)
    weight = torch.randn(n_out, n_in, generator=draw) / n_in**0.5
    return x, weight, torch.randn(n_out, generator=draw)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_equals_the_one_of_that_name_in_transformers(name: str):
    from transformers.activations import ACT2FN

    x = torch.linspace(-4, 4, 50)
    torch.testing.assert_close(ACTIVATIONS[name](x), ACT2FN[name](x), atol=1e-6, rtol=0)


@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("activation", [None, *ACTIVATIONS])
@pytest.mark.parametrize("rows", [1, FEWEST_ROWS - 1, FEWEST_ROWS, ROWS])
def test_without_gradients_it_is_torchs_product_and_the_activation(dtype, activation, rows):
    x, weight, bias = operands(dtype, rows=rows)
    expected = F.linear(x.double(), weight.to(dtype).double(), bias.to(dtype).double())
    if activation is not None:
        expected = ACTIVATIONS[activation](expected)
    with torch.inference_mode():
        found = linear(x, weight, bias, activation=activation)
    assert found.dtype == dtype
    torch.testing.assert_close(found.double(), expected, atol=CLOSE[dtype], rtol=CLOSE[dtype])


@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("activation", [None, "gelu"])
@pytest.mark.parametrize("has_bias", [True, False])
def test_gradients_are_autograds(dtype, activation, has_bias):
    def gradients(multiply):
        x, weight, bias = (tensor.detach().requires_grad_() for tensor in operands(dtype))
        out = multiply(x, weight, bias if has_bias else None)
        (out.float().square().mean() * 100).backward()
        return [tensor.grad.double() for tensor in (x, weight, *([bias] if has_bias else []))]

    def plain(x, weight, bias):
        out = F.linear(x, weight.to(dtype), None if bias is None else bias.to(dtype))
        return out if activation is None else ACTIVATIONS[activation](out)

    found = gradients(lambda x, weight, bias: linear(x, weight, bias, activation=activation))
    for ours, theirs in zip(found, gradients(plain), strict=True):
        assert float((ours - theirs).norm() / theirs.norm()) < CLOSE[dtype] / 5


def test_what_needs_no_gradient_gets_none():
    x, weight, bias = operands(torch.float32)
    weight.requires_grad_()
    linear(x, weight, bias).sum().backward()
    assert x.grad is None
    assert bias.grad is None
    torch.testing.assert_close(weight.grad, x.sum(0).expand(80, 48), atol=1e-4, rtol=1e-5)


def test_changed_weights_count_in_the_next_call():
    x, weight, bias = operands(torch.float32)
    with torch.inference_mode():
        before = linear(x, weight, bias)
        weight *= 2
        torch.testing.assert_close(linear(x, weight, bias), 2 * before - bias, atol=1e-5, rtol=1e-5)


def test_each_weight_is_reordered_once_for_each_dtype_where_that_is_kept(monkeypatch):
    from likewise.models import matmul

    made: list[torch.dtype] = []

    def reorder(weight, rows, own=matmul._reorder):
        made.append(weight.dtype)
        return own(weight, rows)

    monkeypatch.setattr(matmul, "_reorder", reorder)
    x, weight, bias = operands(torch.float32)
    expected = F.linear(x, weight, bias)
    with torch.inference_mode():
        with keep_reordered():
            for _ in range(3):
                found = linear(x, weight, bias)
                torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
                assert linear(x.bfloat16(), weight, bias).dtype == torch.bfloat16
        assert made == [torch.float32, torch.bfloat16]
        linear(x, weight, bias)
        assert len(made) == 3


def test_a_weight_changed_in_place_counts_where_the_others_are_kept():
    x, weight, bias = operands(torch.float32)
    with torch.no_grad(), keep_reordered():
        before = linear(x, weight, bias)
        weight.mul_(2)
        torch.testing.assert_close(linear(x, weight, bias), 2 * before - bias, atol=1e-5, rtol=1e-5)


def test_other_weights_inside_are_reordered_by_themselves():
    x, weight, bias = operands(torch.float32)
    with torch.inference_mode(), keep_reordered():
        for factor in range(1, 20):  # freed and made anew at the same place
            found = linear(x, weight * factor, bias)
            torch.testing.assert_close(
                found, F.linear(x, weight * factor, bias), atol=1e-4, rtol=1e-5
            )


def test_a_row_is_all_but_the_same_in_any_stream_and_has_the_same_bits_twice():
    x, weight, bias = operands(torch.float32)
    with torch.inference_mode():
        whole = linear(x, weight, bias)
        assert torch.equal(whole, linear(x, weight, bias))
        torch.testing.assert_close(linear(x[:3], weight, bias), whole[:3], atol=1e-6, rtol=1e-6)


def test_an_activation_that_is_not_there_is_a_key_error():
    assert check_activation("gelu") == "gelu"
    with pytest.raises(KeyError, match="made_up"):
        check_activation("made_up")


def test_without_the_operators_torchs_own_linear_does_it(monkeypatch):
    from likewise.models import matmul

    x, weight, bias = operands(torch.float32)
    monkeypatch.setattr(matmul, "_dtypes", frozenset)
    assert torch.equal(linear(x, weight, bias), F.linear(x, weight, bias))


@pytest.mark.parametrize("dtype", CLOSE)
def test_a_pass_without_gradients_has_the_bits_of_one_with_them(dtype):
    """Gradient caching embeds without gradients what it then embeds with them."""
    x, weight, bias = operands(dtype)
    with torch.no_grad():
        without = linear(x, weight, bias, activation="gelu")
    weight.requires_grad_()
    assert torch.equal(linear(x, weight, bias, activation="gelu").detach(), without)


def test_a_second_derivative_is_refused_and_not_zero():
    x, weight, _ = operands(torch.float32)
    x.requires_grad_()
    (first,) = torch.autograd.grad(linear(x, weight).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


@pytest.mark.parametrize("dtype", CLOSE)
def test_operands_may_have_strides(dtype):
    x, weight, bias = operands(dtype)
    twice = [torch.stack([tensor, -tensor], dim=-1)[..., 0] for tensor in (x, weight, bias)]
    assert not any(tensor.is_contiguous() for tensor in twice)
    with torch.inference_mode():
        assert torch.equal(linear(*twice), linear(x, weight, bias))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_what_is_not_a_number_stays_so(activation):
    x, weight, bias = operands(torch.float32)
    x[3, 4] = torch.nan
    with torch.inference_mode():
        assert linear(x, weight, bias, activation=activation)[3].isnan().all()


@pytest.mark.filterwarnings("ignore:TF32")  # from putting the switch back
def test_autocast_and_the_switch_of_onednn_are_heeded():
    x, weight, bias = operands(torch.float32)
    with torch.inference_mode():
        with torch.autocast("cpu", torch.bfloat16):
            assert linear(x, weight, bias).dtype == torch.bfloat16
        with torch.backends.mkldnn.flags(enabled=False):
            assert torch.equal(linear(x, weight, bias), F.linear(x, weight, bias))
