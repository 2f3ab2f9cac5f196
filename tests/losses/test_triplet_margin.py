import math

import pytest
import torch
from sentence_transformers.sentence_transformer.losses import TripletLoss
from sentence_transformers.sentence_transformer.losses.triplet import TripletDistanceMetric

from likewise.losses import triplet

THEIRS = {
    "cosine": TripletDistanceMetric.COSINE,
    "euclidean": TripletDistanceMetric.EUCLIDEAN,
    "manhattan": TripletDistanceMetric.MANHATTAN,
}


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("margin", [5.0, 0.3])
@pytest.mark.parametrize("distance", THEIRS)
def test_value_and_gradients_are_the_peers(
    seed, margin, distance, draw_embeddings, embeddings_only, peer_loss, assert_same
):
    rows = draw_embeddings(8, 8, 8, seed=seed)
    peer = TripletLoss(embeddings_only, distance_metric=THEIRS[distance], triplet_margin=margin)
    ours = triplet(*rows, margin=margin, distance=distance)
    assert_same(ours, peer_loss(peer, rows, None), rows)


def test_a_negative_beyond_the_margin_costs_nothing():
    a, p, n = (torch.tensor([[float(x)]], requires_grad=True) for x in (0, 1, 7))
    loss = triplet(a, p, n, margin=5.0)
    loss.backward()
    assert loss.item() == 0
    assert not any(row.grad.any() for row in (a, p, n))


def test_a_soft_margin_never_stops_pulling():
    a, p, n = (torch.tensor([[float(x)]], requires_grad=True) for x in (0, 1, 4))
    loss = triplet(a, p, n, soft_margin=True)
    assert loss.item() == pytest.approx(math.log(1 + math.exp(1 - 4)))
    loss.backward()
    pull = 1 / (1 + math.exp(3))  # the derivative of log(1 + exp(x)) at -3
    assert (p.grad.item(), n.grad.item()) == pytest.approx((pull, -pull))
