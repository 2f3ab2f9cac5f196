import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from likewise.losses.token_cross_entropy import LEFT_OUT, ROWS, token_cross_entropy


def draw(n: int, *, dtype: torch.dtype = torch.float32, v: int = 11, h: int = 5) -> list[Tensor]:
    g = torch.Generator().manual_seed(n)
    states, table, bias = (torch.randn(s, generator=g, dtype=dtype) for s in ((n, h), (v, h), (v,)))
    return [t.requires_grad_() for t in (states, table, bias)]


def labels_of(n: int, *, v: int = 11) -> Tensor:
    labels = torch.randint(v, (n,), generator=torch.Generator().manual_seed(7))
    labels[::5] = LEFT_OUT
    return labels


@pytest.mark.parametrize("n", [6, ROWS, 2 * ROWS + 3])
@pytest.mark.parametrize("with_bias", [True, False])
def test_loss_and_gradients_are_those_of_torch(n: int, with_bias: bool):
    tensors, labels = draw(n, dtype=torch.float64), labels_of(n)
    states, table, bias = tensors
    found = token_cross_entropy(states, table, bias if with_bias else None, labels)
    gradients = torch.autograd.grad(2 * found, tensors[: 2 + with_bias])
    logits = states @ table.T + (bias if with_bias else 0)
    expected = F.cross_entropy(logits, labels)
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)
    for mine, theirs in zip(
        gradients, torch.autograd.grad(2 * expected, tensors[: 2 + with_bias]), strict=True
    ):
        torch.testing.assert_close(mine, theirs, atol=1e-12, rtol=0)


def test_gradients_are_handed_over_once():
    tensors = draw(7)
    loss = token_cross_entropy(*tensors, labels_of(7))
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="compute the loss again"):
        loss.backward()


def test_gradients_add_up_with_those_of_another_loss():
    tensors = draw(7)
    (token_cross_entropy(*tensors, labels_of(7)) + sum(t.sum() for t in tensors)).backward()
    both = [tensor.grad.clone() for tensor in tensors]
    for tensor in tensors:
        tensor.grad = None
    token_cross_entropy(*tensors, labels_of(7)).backward()
    for tensor, found in zip(tensors, both, strict=True):
        torch.testing.assert_close(found, tensor.grad + 1, atol=1e-6, rtol=0)


def test_tokens_that_all_look_alike_cost_log_v():
    states, labels = torch.randn(4, 3, generator=torch.Generator().manual_seed(1)), torch.arange(4)
    assert float(token_cross_entropy(states, torch.ones(16, 3), None, labels)) == pytest.approx(
        math.log(16), abs=1e-6
    )


@pytest.mark.parametrize("n", [0, 4])
def test_without_a_row_that_counts_loss_and_gradients_are_zero(n: int):
    tensors = draw(n)
    loss = token_cross_entropy(*tensors, torch.full((n,), LEFT_OUT))
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert all(not bool(tensor.grad.any()) for tensor in tensors)


def test_rows_left_out_change_nothing():
    states, table, bias = draw(8)
    labels = torch.arange(8)
    padded, more = F.pad(states, (0, 0, 0, 5), value=3.0), F.pad(labels, (0, 5), value=LEFT_OUT)
    alone = token_cross_entropy(states, table, bias, labels)
    together = token_cross_entropy(padded, table, bias, more)
    torch.testing.assert_close(together, alone, atol=1e-6, rtol=0)


def test_narrow_states_give_a_loss_in_float32_and_gradients_of_their_own_dtype():
    states, table, bias = draw(40)
    wide = token_cross_entropy(states, table, bias, labels_of(40))
    narrow_states = states.detach().bfloat16().requires_grad_()
    narrow = token_cross_entropy(narrow_states, table, bias, labels_of(40))
    narrow.backward()
    assert narrow.dtype == torch.float32
    assert narrow_states.grad.dtype == torch.bfloat16
    assert table.grad.dtype == torch.float32
    assert float(narrow.detach()) == pytest.approx(float(wide.detach()), abs=0.05)


def test_without_gradients_none_are_kept():
    states, table, bias = (t.detach() for t in draw(3))
    assert not token_cross_entropy(states, table, bias, torch.arange(3)).requires_grad


@pytest.mark.parametrize(
    ("states", "table", "labels"),
    [
        (torch.ones(2, 3), torch.ones(4, 5), torch.zeros(2).long()),
        (torch.ones(2, 3), torch.ones(4, 3), torch.zeros(3).long()),
        (torch.ones(3), torch.ones(4, 3), torch.zeros(3).long()),
    ],
)
def test_shapes_that_do_not_fit_are_refused(states: Tensor, table: Tensor, labels: Tensor):
    with pytest.raises(ValueError, match=r"states must be|expected 2 labels"):
        token_cross_entropy(states, table, None, labels)
