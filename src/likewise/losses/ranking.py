"""Ranking: similarities should stand in the order of the scores."""

import torch
from torch import Tensor


def rank_pairs(similarities: Tensor, scores: Tensor) -> Tensor:
    """log(1 + sum of exp(s_j - s_i)) over all i, j of which i has the higher score.

    Args:
        similarities: [B], scaled.
        scores: [B]; only their order counts.

    Returns:
        [], zero where all scores are equal.

    >>> round(rank_pairs(torch.zeros(3), torch.tensor([0.1, 0.5, 0.9])).exp().item(), 4)
    4.0
    """
    gaps = similarities[None, :] - similarities[:, None]  # [B, B], of i in the row to j
    ordered = scores[:, None] > scores[None, :]
    one = gaps.new_zeros(1)
    return torch.cat([one, gaps.masked_fill(~ordered, -torch.inf).reshape(-1)]).logsumexp(dim=0)
