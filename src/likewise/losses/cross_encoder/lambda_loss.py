"""LambdaLoss: order each pair of candidates, by how much their order matters to NDCG."""

import math
from typing import Literal, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

Weighting: TypeAlias = Literal["ndcg-loss1", "ndcg-loss2", "ndcg-loss2++", "lambda-rank", "none"]


def lambda_ranking(
    logits: Tensor,
    grades: Tensor,
    mask: Tensor | None = None,
    *,
    weighting: Weighting = "ndcg-loss2++",
    k: int | None = None,
    sigma: float = 1.0,
    mu: float = 10.0,
    unit: Literal["bits", "nats"] = "bits",
) -> Tensor:
    """LambdaLoss of each query's ranking by its logits (Wang et al. 2018; Burges et al. 2006).

    -mean of w_ij log sigmoid(sigma (s_i - s_j)) over the pairs of a query in which i has the
    higher grade. The weights come from the ranks that the logits give, and have no gradient.
    With G_i = (2^grade_i - 1) / maxDCG the gain, D_r = log2(1 + r) the discount and i the rank:

    - "none": w = 1; this is RankNet (Burges et al. 2005, section 3).
    - "lambda-rank": |G_i - G_j| |1 / D_i - 1 / D_j|, what exchanging the two would change.
    - "ndcg-loss2": |G_i - G_j| |1 / D_|i-j| - 1 / D_(|i-j|+1)|, a tighter bound of NDCG's cost.
    - "ndcg-loss2++": mu times the weight of "ndcg-loss2", and that of "lambda-rank".
    - "ndcg-loss1": G_i / D_i, over all i and j of a query, those of equal grade and i = j too.

    A query whose candidates all have one grade contributes nothing.

    Args:
        logits: [Q, C], any float dtype.
        grades: [Q, C] of relevance, 0 for irrelevant, higher is better.
        mask: [Q, C] bool, True where there is a candidate; all of them where it is None.
        weighting: how much a pair counts.
        k: only pairs with one of the k highest logits of the query, and NDCG@k; None for all.
        sigma: steepness, multiplies the difference of two logits.
        mu: how much of "ndcg-loss2" is in "ndcg-loss2++".
        unit: of the logarithm.

    Returns:
        [] float32 or wider, mean over pairs; with "none" 1 bit where all logits are equal.

    Raises:
        ValueError: no query has candidates of two grades, and so there is nothing to learn; there
            is not one grade a logit, or a grade below 0 that has no gain; k or sigma is too low.

    >>> grades = torch.tensor([[1, 0, 0]])
    >>> lambda_ranking(torch.zeros(1, 3), grades, weighting="none").item()
    1.0
    >>> right, wrong = torch.tensor([[3.0, 1.0, 2.0]]), torch.tensor([[1.0, 2.0, 3.0]])
    >>> bool(lambda_ranking(right, grades) < lambda_ranking(wrong, grades))
    True
    """
    if mask is None:
        mask = torch.ones_like(logits, dtype=torch.bool)
    if logits.shape != grades.shape:
        shapes = f"{[*logits.shape]} and {[*grades.shape]}"
        raise ValueError(f"lambda_ranking needs one grade a logit, found {shapes}")
    if sigma <= 0 or (k is not None and k < 1):
        raise ValueError(f"lambda_ranking needs sigma above 0 and k of 1 or more: {sigma}, {k}")
    if weighting != "none" and bool((grades.masked_fill(~mask, 0) < 0).any()):
        raise ValueError('lambda_ranking needs grades of 0 or more; only weighting "none" does not')
    wide = torch.promote_types(logits.dtype, torch.float32)
    with torch.autocast(logits.device.type, enabled=False):
        ranked = logits.to(wide).masked_fill(~mask, -torch.inf)
        ranked, order = ranked.sort(dim=-1, descending=True, stable=True)
        levels, mask = grades.to(wide).masked_fill(~mask, 0).gather(1, order), mask.gather(1, order)
        pairs = _pairs(levels, mask, weighting, k)
        scores = ranked.masked_fill(~mask, 0.0)  # minus infinity has no difference from itself
        chances = F.logsigmoid(sigma * (scores[:, :, None] - scores[:, None, :]))  # [Q, C, C]
        weights = _weights(weighting, _gains(levels, k), mu)
        loss = -(weights * chances).masked_fill(~pairs, 0.0).sum() / pairs.sum()
    return loss / math.log(2) if unit == "bits" else loss


def _pairs(levels: Tensor, mask: Tensor, weighting: Weighting, k: int | None) -> Tensor:
    """Which pairs of ranks count, [Q, C, C] bool; refuses what has none."""
    both = mask[:, :, None] & mask[:, None, :]
    higher = both & (levels[:, :, None] > levels[:, None, :])
    if not bool(higher.any()):
        raise ValueError("lambda_ranking needs a query whose candidates have two grades or more")
    pairs = higher
    if weighting == "ndcg-loss1":
        pairs = both & higher.flatten(1).any(dim=1)[:, None, None]
    if k is None:
        return pairs
    top = torch.arange(levels.shape[1], device=levels.device) < k
    return pairs & (top[:, None] | top[None, :])


def _discounts(like: Tensor) -> Tensor:
    """log2(1 + rank) of the ranks 1 to C, [C]."""
    ranks = torch.arange(1, like.shape[-1] + 1, device=like.device, dtype=like.dtype)
    return torch.log2(1 + ranks)


def _gains(levels: Tensor, k: int | None) -> Tensor:
    """2^grade - 1 of each candidate, over the highest DCG@k that its query can reach, [Q, C]."""
    best = levels.sort(dim=-1, descending=True).values.exp2() - 1
    highest = (best / _discounts(levels))[:, :k].sum(dim=-1, keepdim=True)
    return (levels.exp2() - 1) / highest.clamp(min=1e-10)  # a query of zeros has no pairs


def _weights(weighting: Weighting, gains: Tensor, mu: float) -> Tensor:
    """The weight of each pair of ranks, [Q, C, C] or what broadcasts to it."""
    if weighting == "none":
        return torch.ones_like(gains)[:, :, None]
    discounts = _discounts(gains)
    if weighting == "ndcg-loss1":
        return (gains / discounts)[:, :, None]
    worth = 1 / discounts  # [C], of each rank
    by_rank = (worth[:, None] - worth[None, :]).abs()
    steps = F.pad(worth[:-1] - worth[1:], (1, 0))  # [C], by distance; 0 from a rank to itself
    ranks = torch.arange(len(worth), device=worth.device)
    by_distance = steps[(ranks[:, None] - ranks[None, :]).abs()]
    matters = {
        "ndcg-loss2": by_distance,
        "lambda-rank": by_rank,
        "ndcg-loss2++": mu * by_distance + by_rank,
    }[weighting]
    return matters * (gains[:, :, None] - gains[:, None, :]).abs()
