"""What surrounds the kernel, held to a plain reference of the kernel's own signature."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from likewise.models.architectures.modernbert import window_bias
from likewise.models.attention import Bias, Plan, Windowed, attend, causal, plan_attention
from likewise.models.attention_varlen import (
    EVERYTHING,
    HEAD_STEP,
    WIDEST_HEAD,
    Window,
    attend_packed,
    find_bounds,
    find_kernel,
    suits,
)

CPU = torch.device("cpu")
HEADS, HEAD_WIDTH = 2, 8
WIDTH = HEADS * HEAD_WIDTH


def reference(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    cu_seq_q: Tensor,
    cu_seq_k: Tensor,
    max_q: int,
    max_k: int,
    *,
    window_size: Window = EVERYTHING,
) -> Tensor:
    """Softmax(Q K^T / sqrt(d)) V, text by text: query i sees keys i - left to i + right."""
    assert cu_seq_q.dtype == cu_seq_k.dtype == torch.int32
    lengths = cu_seq_q.diff().tolist()
    assert cu_seq_q[0] == 0
    assert cu_seq_q[-1] == len(query) == len(key) == len(value)
    assert max_q == max_k == max(lengths)
    left, right = window_size
    done = []
    for q, k, v in zip(*(x.split(lengths) for x in (query, key, value)), strict=True):
        scores = torch.einsum("qhd,khd->hqk", q, k) / math.sqrt(q.shape[-1])
        places = torch.arange(len(q))
        ahead = places[None, :] - places[:, None]
        hidden = (ahead < -left if left >= 0 else ahead < -len(q)) | (
            ahead > right if right >= 0 else ahead > len(q)
        )
        weights = scores.masked_fill(hidden, -torch.inf).softmax(dim=-1)
        done.append(torch.einsum("hqk,khd->qhd", weights, v))
    return torch.cat(done)


def draw_qkv(lengths: list[int], *, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(sum(lengths), 3 * WIDTH, generator=generator)


def by_kernel(qkv: Tensor, lengths: list[int], window: Window) -> Tensor:
    bounds = find_bounds(torch.tensor(lengths), device=CPU)
    return attend_packed(qkv, bounds, heads=HEADS, kernel=reference, window=window)


def biases() -> dict[str, tuple[Bias | None, Window]]:
    window = window_bias(3, CPU)
    return {
        "all": (None, (-1, -1)),
        "back only": (causal(device=CPU), (-1, 0)),
        "window": (window, (3, 3)),
        "window back only": (causal(window, device=CPU), (3, 0)),
    }


@settings(deadline=None, max_examples=40)
@given(
    lengths=st.lists(st.integers(1, 30), min_size=1, max_size=12),
    seed=st.integers(0, 9),
    name=st.sampled_from(sorted(biases())),
)
def test_kernel_and_buckets_agree_in_values_and_gradients(lengths: list[int], seed: int, name: str):
    bias, window = biases()[name]
    qkv = draw_qkv(lengths, seed=seed).requires_grad_()
    twin = qkv.detach().clone().requires_grad_()
    out = by_kernel(qkv, lengths, window)
    plan = plan_attention(torch.tensor(lengths), device=CPU)
    expected = attend(twin, plan, heads=HEADS, bias=bias)
    torch.testing.assert_close(out, expected, atol=1e-5, rtol=1e-5)
    weights = torch.randn(out.shape, generator=torch.Generator().manual_seed(1))
    (out * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(qkv.grad, twin.grad, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", biases())
def test_a_bias_says_its_window(name: str):
    bias, window = biases()[name]
    if bias is not None:
        assert isinstance(bias, Windowed)
        assert bias.window == window


class Counting:
    """The reference, which remembers the windows it was asked for."""

    def __init__(self) -> None:
        self.windows: list[Window] = []

    def __call__(self, *given: object, window_size: Window) -> Tensor:
        self.windows.append(window_size)
        return reference(*given, window_size=window_size)  # type: ignore[arg-type]


def relative(length: int) -> Tensor:
    return torch.arange(length).float().expand(1, length, length)


@pytest.mark.parametrize("name", biases())
def test_attention_goes_to_the_kernel_where_there_is_one(name: str):
    bias, window = biases()[name]
    kernel, lengths = Counting(), torch.tensor([9, 2, 5])
    qkv = draw_qkv([9, 2, 5]).bfloat16()
    plan = Plan(lengths=lengths, device=CPU, kernel=kernel)
    out = attend(qkv, plan, heads=HEADS, bias=bias)
    assert kernel.windows == [window]
    assert out.dtype == torch.bfloat16
    plain = attend(qkv.float(), plan_attention(lengths, device=CPU), heads=HEADS, bias=bias)
    torch.testing.assert_close(out.float(), plain, atol=0.03, rtol=0.03)


@pytest.mark.parametrize(
    ("dtype", "dropout", "bias"),
    [
        (torch.float32, 0.0, None),
        (torch.bfloat16, 0.1, None),
        (torch.bfloat16, 0.0, relative),
        (torch.bfloat16, 0.0, causal(relative, device=CPU)),
    ],
    ids=["float32", "dropout", "a bias", "a bias, back only"],
)
def test_what_the_kernel_cannot_do_goes_to_the_buckets(
    dtype: torch.dtype, dropout: float, bias: Bias | None
):
    kernel, lengths = Counting(), torch.tensor([9, 2, 5])
    qkv = draw_qkv([9, 2, 5]).to(dtype)
    with_kernel = Plan(lengths=lengths, device=CPU, kernel=kernel)
    found = []
    for plan in (with_kernel, plan_attention(lengths, device=CPU)):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            found.append(attend(qkv, plan, heads=HEADS, dropout=dropout, bias=bias))
    assert kernel.windows == []
    assert torch.equal(*found)


@pytest.mark.parametrize(
    ("width", "good"),
    [(HEAD_STEP, True), (WIDEST_HEAD, True), (HEAD_STEP + 4, False), (WIDEST_HEAD + 8, False)],
)
def test_heads_have_to_be_of_a_width_that_the_kernel_knows(width: int, good: bool):
    qkv = torch.zeros(1, 3 * 2 * width, dtype=torch.float16)
    assert suits(qkv, heads=2, dropout=0.0) is good


def test_a_cpu_has_no_kernel():
    assert find_kernel(CPU) is None


def test_the_reference_has_the_signature_of_torch_s_kernel():
    import inspect

    from torch.nn.attention.varlen import varlen_attn

    ours = inspect.signature(reference).parameters
    theirs = inspect.signature(varlen_attn).parameters
    assert list(ours)[:7] == list(theirs)[:7]
    assert [ours[name].kind for name in ours] == [theirs[name].kind for name in ours]
    assert theirs["window_size"].default == EVERYTHING
    assert theirs["scale"].default is None  # and so 1 / sqrt(d)


@pytest.mark.parametrize("window", [EVERYTHING, (-1, 0), (3, 3), (3, 0)])
def test_torch_s_own_kernel_takes_what_it_is_given(window: Window):
    """On the device without numbers, where torch checks arguments and works out shapes."""
    from torch.nn.attention.varlen import varlen_attn

    device = torch.device("meta")
    qkv = torch.zeros(16, 3 * WIDTH, dtype=torch.bfloat16, device=device, requires_grad=True)
    plan = Plan(lengths=torch.tensor([9, 2, 5]), device=device, kernel=varlen_attn)
    bias = Windowed(relative, window)
    out = attend(qkv, plan, heads=HEADS, bias=bias)
    assert (out.shape, out.dtype, out.device) == ((16, WIDTH), torch.bfloat16, device)
    out.sum().backward()
    assert qkv.grad is not None
    assert qkv.grad.shape == qkv.shape
