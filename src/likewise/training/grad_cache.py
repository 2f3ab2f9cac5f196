"""The same gradients in bounded memory, around any loss of embeddings.

Gao et al. 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup": the
parts of a batch go forward without a graph; the loss runs on their detached embeddings; each part
goes forward again, with its dropout replayed, and takes its gradient from there.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from likewise.text.packed import Packed
from likewise.training.seeding import random_state, restore_random_state


def backward(
    embed: Callable[[Packed], Tensor],
    packed: Packed,
    loss: Callable[[Tensor], Tensor],
    budget: int,
    *,
    after_part: Callable[[], object] = lambda: None,
) -> Tensor:
    """Compute the loss and leave its gradients in every parameter that it used.

    A batch within the budget is one plain forward and backward pass. The last part of a larger
    one keeps its graph, which spares one of its forward passes.

    Args:
        embed: a packed stream to embeddings [S, D], or to any number of rows that is the sum of
            those of its parts.
        packed: the whole batch.
        loss: embeddings [S, D] to a scalar.
        budget: tokens in memory at a time.
        after_part: called after each pass of each part, where there are several.

    Returns:
        The loss, detached.
    """
    parts = split_packed(packed, budget)
    if len(parts) == 1:
        value = loss(embed(packed))
        value.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return value.detach()
    states, found = [], []
    with torch.no_grad():
        for part in parts[:-1]:
            states.append(random_state(part.ids.device))
            found.append(embed(part))
            after_part()
    last = embed(parts[-1])
    after = random_state(packed.ids.device)
    whole = torch.cat([*found, last.detach()]).requires_grad_()
    value = loss(whole)
    value.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    if whole.grad is None:
        raise ValueError("the loss does not depend on the embeddings")
    gradients = torch.split(whole.grad, [len(rows) for rows in (*found, last)])
    last.backward(gradients[-1])  # type: ignore[no-untyped-call]  # torch leaves it untyped
    for part, state, gradient in zip(parts[:-1], states, gradients[:-1], strict=True):
        restore_random_state(state, part.ids.device)
        embed(part).backward(gradient)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        after_part()
    restore_random_state(after, packed.ids.device)
    return value.detach()


def split_packed(packed: Packed, budget: int) -> list[Packed]:
    """Cut a stream between texts into parts of at most `budget` tokens, where a text allows it."""
    starts = packed.starts
    bounds, first = [0], 0
    for text in range(1, len(packed)):
        if int(starts[text + 1] - starts[first]) > budget:
            bounds.append(text)
            first = text
    bounds.append(len(packed))
    if len(bounds) == 2:
        return [packed]
    return [packed.slice(a, b) for a, b in pairwise(bounds)]
