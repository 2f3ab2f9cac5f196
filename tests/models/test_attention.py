import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from likewise.models.attention import (
    BUCKET_COST,
    LONGEST_PLAIN,
    MOST_BUCKETS,
    SHORTEST,
    _softmax,
    attend,
    causal,
    plan_attention,
)

CPU = torch.device("cpu")
HEADS, WIDTH = 2, 6


def draw_qkv(lengths: list[int], *, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(sum(lengths), 3 * WIDTH, generator=generator, dtype=torch.float64)


def by_formula(qkv: Tensor, lengths: list[int], bias: object = None) -> Tensor:
    """Softmax(Q K^T / sqrt(d) + bias) V, one text and one head at a time."""
    done = []
    for text in qkv.split(lengths):
        q, k, v = (part.unflatten(1, (HEADS, -1)) for part in text.split(WIDTH, dim=1))
        heads = []
        for h in range(HEADS):
            scores = q[:, h] @ k[:, h].T / math.sqrt(WIDTH // HEADS)
            if callable(bias):
                added = bias(len(text))
                scores = scores + added[h % len(added)]
            heads.append(scores.softmax(dim=-1) @ v[:, h])
        done.append(torch.cat(heads, dim=1))
    return torch.cat(done)


def relative(length: int) -> Tensor:
    """A bias that differs by head and by distance."""
    places = torch.arange(length, dtype=torch.float64)
    ahead = places[None, :] - places[:, None]
    return torch.stack([0.1 * ahead, -0.2 * ahead.abs()])


some_lengths = st.lists(st.integers(1, 30), min_size=1, max_size=25)


@settings(deadline=None)
@given(lengths=some_lengths, seed=st.integers(0, 9))
def test_attention_follows_the_formula_for_any_lengths(lengths: list[int], seed: int):
    qkv = draw_qkv(lengths, seed=seed)
    plan = plan_attention(torch.tensor(lengths), device=CPU)
    torch.testing.assert_close(attend(qkv, plan, heads=HEADS), by_formula(qkv, lengths))


@pytest.mark.parametrize(
    "lengths", [[3, 1, 7, 7, 2], [5, 5], [17, 17], [LONGEST_PLAIN + 5, 4, 300]]
)
@pytest.mark.parametrize("bias", [None, relative], ids=["plain", "biased"])
def test_gradients_follow_the_formula(lengths: list[int], bias: object):
    qkv = draw_qkv(lengths).requires_grad_()
    twin = qkv.detach().clone().requires_grad_()
    weights = torch.randn(sum(lengths), WIDTH, dtype=torch.float64)
    plan = plan_attention(torch.tensor(lengths), device=CPU)
    out, expected = attend(qkv, plan, heads=HEADS, bias=bias), by_formula(twin, lengths, bias)
    torch.testing.assert_close(out, expected, atol=1e-6, rtol=1e-5)
    (out * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(qkv.grad, twin.grad, atol=1e-6, rtol=1e-5)


def test_a_bias_that_learns_gets_its_gradient():
    table = torch.randn(2, SHORTEST, SHORTEST, requires_grad=True)
    lengths = [3, 9, 5]
    plan = plan_attention(torch.tensor(lengths), device=CPU)
    qkv = draw_qkv(lengths).float()
    attend(qkv, plan, heads=HEADS, bias=lambda n: table[:, :n, :n]).square().sum().backward()
    assert table.grad is not None
    assert table.grad.any()


def test_a_text_never_sees_another():
    lengths = [4, 2, 9, 1]
    qkv = draw_qkv(lengths)
    changed = qkv.clone()
    changed[6:15] = 100.0
    plan = plan_attention(torch.tensor(lengths), device=CPU)
    before, after = (attend(x, plan, heads=HEADS) for x in (qkv, changed))
    torch.testing.assert_close(before[:6], after[:6])
    torch.testing.assert_close(before[15:], after[15:])


@settings(deadline=None)
@given(some_lengths)
def test_the_buckets_cover_each_token_once(lengths: list[int]):
    plan = plan_attention(torch.tensor(lengths), device=CPU)
    assert sum(bucket.tokens for bucket in plan.layout.buckets) == sum(lengths)
    assert sum(bucket.shape[0] for bucket in plan.layout.buckets) == len(lengths)
    assert len(plan.layout.buckets) <= MOST_BUCKETS
    if plan.layout.order is not None:
        assert plan.layout.back is not None
        assert sorted(plan.layout.order.tolist()) == list(range(sum(lengths)))
        assert plan.layout.order[plan.layout.back].tolist() == list(range(sum(lengths)))
    for bucket in plan.layout.buckets:
        if bucket.cells is not None:
            assert bucket.slots is not None
            assert bucket.slots[bucket.cells].tolist() == list(range(bucket.tokens))


def padded_cost(shapes: list[tuple[int, int]]) -> int:
    """Cells of all score matrices, and what a bucket costs beside them."""
    return sum(b * longest**2 + BUCKET_COST for b, longest in shapes)


def cheapest(lengths: list[int], cuts: int) -> int:
    """The cost of the best way to cut the sorted lengths, by trying every way."""
    ordered = sorted(lengths)
    ways = itertools.combinations(range(1, len(ordered)), cuts)
    bounds = (itertools.pairwise([0, *way, len(ordered)]) for way in ways)
    return min(
        padded_cost([(b - a, max(ordered[b - 1], SHORTEST)) for a, b in cut]) for cut in bounds
    )


@settings(deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=8))
def test_no_other_choice_of_buckets_costs_less(lengths: list[int]):
    plan = plan_attention(torch.tensor(lengths), device=CPU)
    shapes = [bucket.shape for bucket in plan.layout.buckets]
    assert padded_cost(shapes) == min(cheapest(lengths, cuts) for cuts in range(len(lengths)))


def test_as_many_buckets_as_allowed_are_the_best_so_many():
    lengths = [200 * (i + 1) for i in range(MOST_BUCKETS + 3)]  # each would like its own
    plan = plan_attention(torch.tensor(lengths), device=CPU)
    assert len(plan.layout.buckets) == MOST_BUCKETS
    shapes = [bucket.shape for bucket in plan.layout.buckets]
    assert padded_cost(shapes) == cheapest(lengths, MOST_BUCKETS - 1)


def test_equal_lengths_need_no_padding_and_no_moving():
    plan = plan_attention(torch.tensor([17, 17, 17]), device=CPU)
    assert plan.layout.order is None
    assert [bucket.shape for bucket in plan.layout.buckets] == [(3, 17)]
    assert plan.layout.buckets[0].mask is None


def test_very_different_lengths_share_no_rectangle():
    plan = plan_attention(torch.tensor([4] * 50 + [500] * 2), device=CPU)
    assert [bucket.shape for bucket in plan.layout.buckets] == [(50, SHORTEST), (2, 500)]


@pytest.mark.parametrize("longest", [16, 24, 32, 47, 64])
def test_softmax_in_bfloat16_and_its_gradient_are_those_of_float32_rounded(longest: int):
    draw = torch.Generator().manual_seed(longest)
    scores = torch.randn(3, 2, longest, longest, generator=draw).bfloat16()
    weights = torch.randn(scores.shape, generator=draw).bfloat16()

    def gradient(softmax, x):
        x = x.clone().requires_grad_()
        out = softmax(x)
        (out * weights.to(x.dtype)).sum().backward()
        return out.detach(), x.grad

    found = gradient(_softmax, scores)
    for ours, exact in zip(found, gradient(lambda x: x.softmax(-1), scores.float()), strict=True):
        assert ours.dtype == torch.bfloat16
        torch.testing.assert_close(ours.float(), exact, rtol=2**-6, atol=2**-9)


def test_what_softmax_keeps_for_the_gradient_is_in_the_dtype_of_the_stream():
    kept: list[torch.dtype] = []

    def note(tensor: torch.Tensor) -> torch.Tensor:
        kept.append(tensor.dtype)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        _softmax(torch.randn(2, 24, 24).bfloat16().requires_grad_())
    assert kept == [torch.bfloat16]


def test_dropout_keeps_the_mean():
    lengths = [3, 5]
    qkv = draw_qkv(lengths).float()
    plan = plan_attention(torch.tensor(lengths), device=CPU)
    calm = attend(qkv, plan, heads=HEADS)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        drawn = torch.stack([attend(qkv, plan, heads=HEADS, dropout=0.2) for _ in range(3000)])
    assert not torch.equal(drawn[0], drawn[1])
    torch.testing.assert_close(drawn.mean(dim=0), calm, atol=0.06, rtol=0)


def test_the_dtype_of_the_stream_is_kept():
    plan = plan_attention(torch.tensor([3, 5]), device=CPU)
    qkv = draw_qkv([3, 5]).bfloat16()
    assert attend(qkv, plan, heads=HEADS, bias=relative).dtype == torch.bfloat16


def back_only(length: int) -> Tensor:
    """0 for a key at or before its query, -inf behind it; added to the relative bias."""
    places = torch.arange(length)
    behind = places[None, :] > places[:, None]
    return relative(length).masked_fill(behind, -torch.inf)


@pytest.mark.parametrize("lengths", [[3, 1, 7, 7, 2], [LONGEST_PLAIN + 5, 4]])
def test_looking_back_only_follows_the_formula(lengths: list[int]):
    qkv = draw_qkv(lengths).requires_grad_()
    twin = qkv.detach().clone().requires_grad_()
    plan = plan_attention(torch.tensor(lengths), device=CPU)
    out = attend(qkv, plan, heads=HEADS, bias=causal(relative, device=CPU))
    expected = by_formula(twin, lengths, back_only)
    torch.testing.assert_close(out, expected, atol=1e-6, rtol=1e-5)
    weights = torch.randn(out.shape, dtype=torch.float64)
    (out * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(qkv.grad, twin.grad, atol=1e-6, rtol=1e-5)


@settings(deadline=None)
@given(some_lengths, st.integers(0, 10**6))
def test_looking_back_only_no_token_sees_one_behind_it(lengths: list[int], place: int):
    qkv, changed = draw_qkv(lengths), draw_qkv(lengths)
    place %= len(qkv)
    changed[place] += 5.0
    plan = plan_attention(torch.tensor(lengths), device=CPU)
    before, after = (attend(x, plan, heads=HEADS, bias=causal(device=CPU)) for x in (qkv, changed))
    torch.testing.assert_close(before[:place], after[:place])
    assert not torch.equal(before[place], after[place])


def test_looking_back_a_gradient_stays_finite_where_a_window_holds_padding_alone():
    """Of 2 tokens in a rectangle of 9 cells, most see nothing but padding and the past."""

    def window(length: int) -> Tensor:
        places = torch.arange(length)
        apart = (places[None, :] - places[:, None]).abs() > 2
        return torch.zeros(1, length, length).masked_fill(apart, -1e4)

    qkv = draw_qkv([2, 9]).float().requires_grad_()
    plan = plan_attention(torch.tensor([2, 9]), device=CPU)
    attend(qkv, plan, heads=HEADS, bias=causal(window, device=CPU)).square().sum().backward()
    assert qkv.grad is not None
    assert bool(torch.isfinite(qkv.grad).all())
