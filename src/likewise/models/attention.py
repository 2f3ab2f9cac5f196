"""Self-attention inside each text of a packed stream: the one place that needs boundaries.

On a GPU a kernel that knows the boundaries computes it, wherever it can. Elsewhere the texts are
gathered into a few length buckets, each a small padded rectangle [b, L] with plain batched matmul
and softmax. Everything else in an encoder runs on `[tokens, width]`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from likewise.models.attention_varlen import (
    EVERYTHING,
    Bounds,
    Kernel,
    Window,
    attend_packed,
    find_bounds,
    find_kernel,
    suits,
)
from likewise.models.dropout import drop
from likewise.text.transfer import send

MOST_BUCKETS = 8
# One more bucket costs about as much as padding this many (token, token) cells: two kernel
# launches and their small matmuls against one head's scores. Measured by bench/train.py.
BUCKET_COST = 30_000
# torch's softmax on a CPU takes nine times as long for rows of 12 numbers as for 16
SHORTEST = 16
# Its bfloat16 softmax has fast code for rows of whole vectors only: others are faster by float32
VECTOR = 32
# Beyond this length the scores [b, heads, L, L] cost more memory than they save in time.
LONGEST_PLAIN = 256

Bias: TypeAlias = Callable[[int], Tensor]


@dataclass(frozen=True, slots=True)
class Windowed:
    """A bias that only hides what is far, and so can be said in two numbers.

    Attributes:
        bias: from L to [1, L, L]: 0 for what is seen, and so low elsewhere that exp gives 0.
        window: how far a token sees to its left and to its right; -1 for no limit.
    """

    bias: Bias
    window: Window

    def __call__(self, length: int) -> Tensor:
        """The bias of a text of that length."""
        return self.bias(length)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """b texts of similar length, as a rectangle over a part of the stream.

    Attributes:
        tokens: how many tokens of the stream belong to it.
        shape: (b, L).
        slots: [b * L] row of this part of the stream in each cell; padding repeats row 0.
        cells: [tokens] cell of each row, the inverse of `slots`.
        mask: [b, 1, 1, L] float, 0 for a token and -inf for padding; None without padding.
    """

    tokens: int
    shape: tuple[int, int]
    slots: Tensor | None = None
    cells: Tensor | None = None
    mask: Tensor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The rectangles of one packed batch.

    Attributes:
        buckets: in the order of the texts' lengths.
        order: [T] the rows of the stream sorted by the length of their text, None if they are so.
        back: [T] the inverse of `order`.
    """

    buckets: tuple[Bucket, ...]
    order: Tensor | None = None
    back: Tensor | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How one packed batch is attended to; used by every layer, which finds out what it needs.

    Attributes:
        lengths: [S] tokens a text, on the CPU.
        device: where the stream is.
        kernel: that computes attention without rectangles, where it can; None without.
    """

    lengths: Tensor
    device: torch.device
    kernel: Kernel | None = None

    @cached_property
    def layout(self) -> Layout:
        """The rectangles, laid out when they are first asked for."""
        return _lay_out(self.lengths.numpy(), self.device)

    @cached_property
    def bounds(self) -> Bounds:
        """The boundaries as the kernel wants them."""
        return find_bounds(self.lengths, device=self.device)


def causal(bias: Bias | None = None, *, device: torch.device) -> Bias:
    """Let every token see itself and what stands before it, and nothing behind it.

    Args:
        bias: of the attention as it is; None for none.
        device: where the stream is.

    Returns:
        From L to [1 or heads, L, L]: the same bias, and -inf where a key stands behind its query.
    """
    known: dict[int, Tensor] = {}

    def looking_back(length: int) -> Tensor:
        if length not in known:
            ahead = torch.ones(length, length, dtype=torch.bool, device=device).triu(1)
            mask = torch.zeros(1, length, length, device=device).masked_fill(ahead, -torch.inf)
            known[length] = mask if bias is None else bias(length) + mask
        return known[length]

    if bias is None:
        return Windowed(looking_back, (-1, 0))
    if isinstance(bias, Windowed):
        return Windowed(looking_back, (bias.window[0], 0))
    return looking_back


def plan_attention(lengths: Tensor, *, device: torch.device) -> Plan:
    """Plan the attention of texts of these lengths: nothing is computed yet.

    Args:
        lengths: [S] tokens a text, on the CPU.
        device: where the stream is.
    """
    return Plan(lengths=lengths, device=device, kernel=find_kernel(device))


def _lay_out(sizes: NDArray[np.int64], device: torch.device) -> Layout:
    """Choose the buckets for texts of these lengths and lay out their rectangles."""
    by_length = np.argsort(sizes, kind="stable")
    ordered = sizes[by_length]
    shortest = SHORTEST if device.type == "cpu" else 1
    bounds = _bounds(ordered.clip(min=shortest))
    buckets = tuple(_bucket(ordered[a:b], device, shortest) for a, b in pairwise(bounds))
    if (by_length[1:] > by_length[:-1]).all():
        return Layout(buckets=buckets)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])[by_length]
    order = _ranges(starts, ordered)
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    there, again = (send(torch.from_numpy(rows), device) for rows in (order, back))
    return Layout(buckets=buckets, order=there, back=again)


def _ranges(starts: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers starts[i] … starts[i] + sizes[i] - 1, one run after the other."""
    ends = np.cumsum(sizes)
    found: NDArray[np.int64] = np.arange(ends[-1]) + np.repeat(starts - (ends - sizes), sizes)
    return found


def _bounds(ordered: NDArray[np.int64]) -> list[int]:
    """Cut sorted lengths where padding plus a fixed cost a bucket is least (exact, by length)."""
    values, firsts = np.unique(ordered, return_index=True)
    ends = np.append(firsts[1:], len(ordered))
    squares = ordered.astype(np.float64) ** 2
    before = np.concatenate([[0.0], np.cumsum(squares)])
    # cost[i, j]: texts of lengths values[i..j] in one rectangle, less what they need themselves
    counts = ends[None, :] - firsts[:, None]
    padding = counts * values[None, :].astype(np.float64) ** 2 - (
        before[ends][None, :] - before[firsts][:, None]
    )
    cost = np.where(counts > 0, padding + BUCKET_COST, np.inf)
    best, cuts = cost[0], [np.zeros(len(values), dtype=np.int64)]
    for _ in range(min(MOST_BUCKETS, len(values)) - 1):
        total = best[:-1, None] + cost[1:, :]  # a bucket from i + 1 to j after the best up to i
        choice = total.argmin(axis=0)
        found = total[choice, np.arange(len(values))]
        cuts.append(np.where(found < best, choice + 1, cuts[-1] * 0))
        if not (found < best).any():
            cuts.pop()
            break
        best = np.minimum(best, found)
    return _trace(cuts, firsts, len(ordered))


def _trace(cuts: list[NDArray[np.int64]], firsts: NDArray[np.int64], n: int) -> list[int]:
    bounds, j = [n], len(firsts) - 1
    for cut in reversed(cuts):
        i = int(cut[j])
        if i == 0:
            continue
        bounds.append(int(firsts[i]))
        j = i - 1
    return [0, *reversed(bounds)]


def _bucket(sizes: NDArray[np.int64], device: torch.device, shortest: int) -> Bucket:
    b, longest, tokens = len(sizes), max(int(sizes[-1]), shortest), int(sizes.sum())
    if int(sizes[0]) == longest:
        return Bucket(tokens=tokens, shape=(b, longest))
    cells = _ranges(np.arange(b) * longest, sizes)
    slots = np.zeros(b * longest, dtype=np.int64)
    slots[cells] = np.arange(tokens)
    padding = np.arange(longest)[None, :] >= sizes[:, None]
    mask = np.where(padding, -np.inf, 0.0).astype(np.float32)[:, None, None, :]
    return Bucket(
        tokens=tokens,
        shape=(b, longest),
        slots=send(torch.from_numpy(slots), device),
        cells=send(torch.from_numpy(cells), device),
        mask=send(torch.from_numpy(mask), device),
    )


class _Move(torch.autograd.Function):
    """Rows to cells of a rectangle, or back; the gradient goes the same way the other round.

    `index_select` alone would fill a zero tensor and add each row into it on the way back; here
    every row has exactly one cell, so that the way back is a gather too.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, there: Tensor, back: Tensor) -> Tensor:
        ctx.save_for_backward(back)
        return x.index_select(0, there)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (back,) = ctx.saved_tensors
        return gradients[0].index_select(0, back), None, None


class _Back(torch.autograd.Function):
    """Cells of a rectangle back to rows; padding cells get a zero gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cells: Tensor) -> Tensor:
        ctx.save_for_backward(cells)
        ctx.rows = len(x)
        return x.index_select(0, cells)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (cells,) = ctx.saved_tensors
        (gradient,) = gradients
        whole = gradient.new_zeros(ctx.rows, gradient.shape[1])
        whole[cells] = gradient
        return whole, None


def _move(x: Tensor, there: Tensor, back: Tensor) -> Tensor:
    moved: Tensor = _Move.apply(x, there, back)  # type: ignore[no-untyped-call]  # torch's own
    return moved


def _back(x: Tensor, cells: Tensor) -> Tensor:
    rows: Tensor = _Back.apply(x, cells)  # type: ignore[no-untyped-call]  # torch's own
    return rows


def attend(
    qkv: Tensor, plan: Plan, *, heads: int, dropout: float = 0.0, bias: Bias | None = None
) -> Tensor:
    """Scaled dot-product attention of every text with itself.

    Args:
        qkv: [T, 3 H], queries, keys and values side by side.
        plan: of the packed batch.
        heads: attention heads; each is H / heads wide.
        dropout: probability of dropping an attention weight; 0 when not training.
        bias: from L to [1 or heads, L, L], added to the scores: relative positions, or a window.

    Returns:
        [T, H], in the order and the dtype of `qkv`.
    """
    window = EVERYTHING if bias is None else bias.window if isinstance(bias, Windowed) else None
    if plan.kernel is not None and window is not None and suits(qkv, heads=heads, dropout=dropout):
        return attend_packed(qkv, plan.bounds, heads=heads, kernel=plan.kernel, window=window)
    layout = plan.layout
    if layout.order is not None and layout.back is not None:
        qkv = _move(qkv, layout.order, layout.back)
    parts = torch.split(qkv, [bucket.tokens for bucket in layout.buckets])
    mixed = [
        _attend_bucket(part, bucket, heads=heads, dropout=dropout, bias=bias)
        for part, bucket in zip(parts, layout.buckets, strict=True)
    ]
    out = mixed[0] if len(mixed) == 1 else torch.cat(mixed)
    if layout.order is not None and layout.back is not None:
        out = _move(out, layout.back, layout.order)
    return out


def _attend_bucket(
    part: Tensor, bucket: Bucket, *, heads: int, dropout: float, bias: Bias | None
) -> Tensor:
    b, longest = bucket.shape
    if bucket.slots is not None and bucket.cells is not None:
        part = _move(part, bucket.slots, bucket.cells)
    cells = part.view(b, longest, 3, heads, -1)
    q, k, v = cells.permute(2, 0, 3, 1, 4).contiguous().unbind(0)  # [b, heads, L, d] each
    added = bucket.mask
    if bias is not None:
        own = bias(longest).float()
        added = own if added is None else added + own
    if added is not None:
        added = added.to(q.dtype)
    mixed = (
        _plain(q, k, v, added, dropout)
        if longest <= LONGEST_PLAIN
        else F.scaled_dot_product_attention(q, k, v, attn_mask=added, dropout_p=dropout)
    )
    rows = mixed.transpose(1, 2).reshape(b * longest, -1)
    return rows if bucket.cells is None else _back(rows, bucket.cells)


def _plain(q: Tensor, k: Tensor, v: Tensor, added: Tensor | None, dropout: float) -> Tensor:
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)  # [b, heads, L, L]
    if added is not None:
        scores = scores + added
    weights = _softmax(scores)
    if dropout > 0:
        weights = drop(weights, dropout)
    mixed: Tensor = weights @ v
    return mixed


def _softmax(scores: Tensor) -> Tensor:
    """The softmax over the last dimension, in the dtype that comes in."""
    is_slow = scores.dtype == torch.bfloat16 and scores.shape[-1] % VECTOR
    if is_slow and scores.device.type == "cpu":
        weights: Tensor = _FloatSoftmax.apply(scores)  # type: ignore[no-untyped-call]  # torch's own
        return weights
    return scores.softmax(dim=-1)


class _FloatSoftmax(torch.autograd.Function):
    """Softmax by way of float32, of which the result alone is kept for the gradient."""

    @staticmethod
    def forward(ctx: Any, scores: Tensor) -> Tensor:
        weights = scores.float().softmax(dim=-1).to(scores.dtype)
        ctx.save_for_backward(weights)
        return weights

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (weights,) = ctx.saved_tensors
        return torch._softmax_backward_data(gradients[0], weights, -1, weights.dtype)
