import pytest
import torch
from sentence_transformers.cross_encoder.losses import MSELoss

from likewise.losses.cross_encoder import mean_squared_error


def pairs(seed, n=9):
    draw = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(n, generator=draw).requires_grad_(), torch.rand(n, generator=draw)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("through_sigmoid", [True, False])
def test_value_and_gradient_are_the_peers(seed, through_sigmoid, peer_of_pairs):
    logits, targets = pairs(seed)
    ours = mean_squared_error(logits, targets, through_sigmoid=through_sigmoid)
    activation = torch.nn.Sigmoid() if through_sigmoid else torch.nn.Identity()
    theirs = peer_of_pairs(MSELoss, logits, targets, activation_fn=activation)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(
        torch.autograd.grad(ours, logits), torch.autograd.grad(theirs, logits)
    )


def test_predictions_that_equal_their_scores_cost_nothing():
    _, targets = pairs(0)
    loss = mean_squared_error(targets.double().logit(), targets.double())
    assert loss.item() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("wrong", [-0.5, 4.2, float("nan")])
def test_a_score_that_no_sigmoid_reaches_is_refused(wrong):
    with pytest.raises(ValueError, match="needs targets from 0 to 1"):
        mean_squared_error(torch.zeros(2), torch.tensor([0.5, wrong]))


def test_the_logits_of_a_teacher_may_be_any_number():
    teacher = torch.tensor([-7.0, 9.0])
    assert mean_squared_error(torch.zeros(2), teacher, through_sigmoid=False) == (49 + 81) / 2


def test_a_column_of_logits_is_not_paired_with_every_target():
    with pytest.raises(ValueError, match=r"one target a logit, found \[4, 1\] and \[4\]"):
        mean_squared_error(torch.zeros(4, 1), torch.zeros(4))
