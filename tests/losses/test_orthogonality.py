import pytest
import torch
from sentence_transformers.sentence_transformer.losses import GlobalOrthogonalRegularizationLoss

from likewise.losses import orthogonality


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("weights", [(1.0, 1.0), (0.5, 2.0), (1.0, 0.0), (0.0, 1.0)])
@pytest.mark.parametrize("shift", [0.0, 1.0], ids=["around zero", "to one side"])
def test_value_and_gradients_are_the_peers(
    seed, weights, shift, draw_embeddings, embeddings_only, peer_loss, assert_same
):
    (rows,) = draw_embeddings(9, seed=seed)
    mean, second = weights
    peer = GlobalOrthogonalRegularizationLoss(
        embeddings_only, mean_weight=mean, second_moment_weight=second
    )
    theirs = sum(peer_loss(peer, [rows + shift], None).values())
    ours = orthogonality(rows + shift, mean_weight=mean, second_moment_weight=second)
    assert_same(ours, theirs, [rows])


def test_directions_at_right_angles_cost_nothing():
    loss = orthogonality(torch.eye(4, requires_grad=True))
    assert loss.item() == 0


@pytest.mark.parametrize("weights", [{}, {"mean_weight": 0.0}, {"second_moment_weight": 0.0}])
def test_bfloat16_gives_float32_and_a_step_spreads(weights):
    rows = torch.randn(16, 8, generator=torch.Generator().manual_seed(0)) + 1
    assert orthogonality(rows.bfloat16(), **weights).dtype == torch.float32
    rows.requires_grad_()
    first = orthogonality(rows, **weights)
    first.backward()
    assert orthogonality(rows - 0.5 * rows.grad, **weights) < first


def test_one_embedding_or_no_weight_is_refused():
    with pytest.raises(ValueError, match="orthogonality needs two embeddings"):
        orthogonality(torch.ones(1, 4))
    with pytest.raises(ValueError, match="orthogonality needs a weight"):
        orthogonality(torch.ones(2, 4), mean_weight=0.0, second_moment_weight=0.0)
