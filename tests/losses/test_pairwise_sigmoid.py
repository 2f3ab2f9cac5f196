import math

import pytest
import torch
from torch import nn

from likewise.losses import LOSSES, sigmoid
from likewise.losses.pairwise_sigmoid import pair_scale

unit = torch.nn.functional.normalize


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("scale", "bias"), [(10.0, -10.0), (3.0, 0.5)])
def test_it_is_the_papers_algorithm(seed, scale, bias, draw_embeddings, assert_same):
    """Zhai et al. 2023, algorithm 1, in its own order; the peer has no such loss."""
    image, text = draw_embeddings(8, 8, seed=seed)
    logits = unit(image) @ unit(text).T * scale + bias
    labels = 2 * torch.eye(8) - torch.ones(8, 8)
    expected = -nn.functional.logsigmoid(labels * logits).sum() / 8
    assert_same(sigmoid(image, text, scale=scale, bias=bias), expected, [image, text])


def test_negatives_are_more_columns_that_do_not_match(draw_embeddings):
    anchors, positives, negatives = draw_embeddings(3, 3, 2)
    logits = unit(anchors) @ unit(negatives).T
    more = nn.functional.softplus(logits).sum() / 3
    fixed = {"scale": 1.0, "bias": 0.0}
    with_them = sigmoid(anchors, positives, negatives, **fixed)
    torch.testing.assert_close(with_them, sigmoid(anchors, positives, **fixed) + more)


def test_a_fresh_head_is_no_head_and_starts_as_the_paper_does(draw_embeddings):
    pair = draw_embeddings(4, 4)
    head = LOSSES["sigmoid"].head(6, 3)
    assert head.log_scale.item() == pytest.approx(math.log(10))
    assert head.bias.item() == -10
    assert torch.equal(sigmoid(*pair, head=head), sigmoid(*pair))
    torch.testing.assert_close(sigmoid(*pair), sigmoid(*pair, scale=10.0, bias=-10.0))


def test_a_step_moves_scale_and_bias_and_lowers_the_loss(draw_embeddings):
    pair = [row.detach() for row in draw_embeddings(8, 8)]
    head = pair_scale(6, 3)
    optimiser = torch.optim.SGD(head.parameters(), lr=0.01)
    first = sigmoid(*pair, head=head)
    first.backward()
    optimiser.step()
    assert head.log_scale.item() != pytest.approx(math.log(10))
    assert head.bias.item() != -10
    assert sigmoid(*pair, head=head) < first


def test_what_is_fixed_does_not_learn(draw_embeddings):
    head = pair_scale(6, 3)
    sigmoid(*draw_embeddings(4, 4), head=head, bias=-5.0).backward()
    assert head.bias.grad is None
    assert head.log_scale.grad is not None


def test_a_pair_that_collides_is_neither_yes_nor_no(draw_embeddings):
    anchors, positives = draw_embeddings(3, 3)
    collides = torch.zeros(3, 3, dtype=torch.bool)
    collides[0, 2] = True
    fixed = {"scale": 1.0, "bias": 0.0}
    less = nn.functional.softplus(unit(anchors)[0] @ unit(positives)[2]) / 3
    masked = sigmoid(anchors, positives, None, collides, **fixed)
    torch.testing.assert_close(masked, sigmoid(anchors, positives, **fixed) - less)
