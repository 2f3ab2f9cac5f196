import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers.sentence_transformer.losses import CoSENTLoss

from likewise.losses import cosent

SCORES = {
    "graded": [0.1, 0.9, 0.4, 0.7, 0.2, 0.3, 0.8, 0.5],
    "ties": [0.0, 1.0, 0.0, 1.0, 0.5, 0.5, 1.0, 0.0],
    "two": [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    "equal": [0.5] * 8,
}


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("scale", [20.0, 1.0])
@pytest.mark.parametrize("scores", SCORES)
def test_value_and_gradients_are_the_peers(
    seed, scale, scores, draw_embeddings, embeddings_only, peer_loss, assert_same
):
    pair, target = draw_embeddings(8, 8, seed=seed), torch.tensor(SCORES[scores])
    ours = cosent(*pair, target, scale=scale)
    assert_same(ours, peer_loss(CoSENTLoss(embeddings_only, scale=scale), pair, target), pair)


@settings(deadline=None)
@given(st.floats(0.01, 100), st.floats(-100, 100))
def test_the_unit_of_the_scores_changes_nothing(factor, offset):
    draw = torch.Generator().manual_seed(0)
    u, v = (torch.randn(6, 4, generator=draw) for _ in range(2))
    scores = torch.tensor([0, 1, 2, 3, 4, 5], dtype=torch.float64)
    assert torch.equal(cosent(u, v, factor * scores + offset), cosent(u, v, scores))


def test_pairs_in_the_right_order_cost_little():
    u = torch.eye(2)[[0, 0]]
    v = torch.eye(2)
    assert cosent(u, v, torch.tensor([1.0, 0.0])) < 1e-6
    assert cosent(u, v, torch.tensor([0.0, 1.0])).item() == pytest.approx(20, abs=1e-4)
