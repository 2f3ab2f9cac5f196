"""Cross-entropy over a whole vocabulary, in memory that the number of tokens does not move."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

ROWS = 512  # tokens whose logits are in memory at a time: 62 MB of them for 30,522 words
LEFT_OUT = -100  # a label that counts for nothing


def token_cross_entropy(
    states: Tensor, table: Tensor, bias: Tensor | None, labels: Tensor
) -> Tensor:
    """Guess tokens from their states by the likeness to each row of a table (Devlin et al. 2019).

    The logits are computed in the dtype of the states, all that follows in float32 or wider. The
    gradients come with the loss, so that no logits are kept; they can be asked for once.

    Args:
        states: [N, H].
        table: [V, H], one row a token of the vocabulary; cast to the states' dtype.
        bias: [V], or None for none.
        labels: [N] int64 ids from 0 to V - 1; LEFT_OUT for a row that does not count.

    Returns:
        A scalar, the mean over the rows that count: log(V) where all tokens look alike; 0, with
        gradients of 0, where no row counts.

    Raises:
        ValueError: the shapes do not fit.

    >>> states, table = torch.zeros(3, 4), torch.ones(8, 4)
    >>> round(float(token_cross_entropy(states, table, None, torch.tensor([0, 5, 7]))), 4)  # log 8
    2.0794
    """
    if states.dim() != 2 or table.dim() != 2 or states.shape[1] != table.shape[1]:
        shapes = f"{list(states.shape)} and {list(table.shape)}"
        raise ValueError(f"states must be [N, H] and the table [V, H], found {shapes}")
    if labels.shape != states.shape[:1]:
        raise ValueError(f"expected {len(states)} labels, found {list(labels.shape)}")
    wide = torch.promote_types(states.dtype, torch.float32)
    offsets = torch.zeros(len(table), dtype=wide, device=table.device) if bias is None else bias
    loss: Tensor = _TokenCrossEntropy.apply(states, table, offsets, labels)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return loss


class _TokenCrossEntropy(torch.autograd.Function):
    """Forward does it all, a few rows at a time; backward scales what it found."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, table: Tensor, bias: Tensor, labels: Tensor) -> Tensor:
        wide = torch.promote_types(states.dtype, torch.float32)
        rows = table.to(states.dtype)
        counts = labels != LEFT_OUT
        share = counts.to(wide) / counts.sum().clamp(min=1)  # [N] weight of each row in the mean
        loss = torch.zeros((), dtype=wide, device=states.device)
        asked = any(ctx.needs_input_grad)
        by_state, by_bias = torch.empty_like(states), torch.zeros_like(bias)
        by_table: Tensor | None = None  # as large as the table: to fill it once more takes time
        for first in range(0, len(states), ROWS):
            part = slice(first, first + ROWS)
            logits = (states[part] @ rows.T).to(wide).add_(bias)
            places = labels[part].clamp(min=0)[:, None]
            top, picked = logits.amax(dim=1, keepdim=True), logits.gather(1, places)
            total = logits.sub_(top).exp_().sum(dim=1, keepdim=True)
            weight = share[part, None]
            loss += ((top + total.log() - picked) * weight).sum()
            if asked:
                logits.mul_(weight / total).scatter_add_(1, places, -weight)
                narrow = logits.to(states.dtype)
                by_state[part] = narrow @ rows
                by_bias += logits.sum(dim=0)
                by_row = (narrow.T @ states[part]).to(table.dtype)
                by_table = by_row if by_table is None else by_table.add_(by_row)
        ctx.found = (by_state, torch.zeros_like(table) if by_table is None else by_table, by_bias)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, given: Tensor) -> tuple[Tensor | None, ...]:
        if ctx.found is None:
            raise RuntimeError("these gradients were handed over already: compute the loss again")
        scaled, ctx.found = [gradient.mul_(given) for gradient in ctx.found], None
        return (*scaled, None)
