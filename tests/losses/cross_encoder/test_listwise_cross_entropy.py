import pytest
import torch
from sentence_transformers.cross_encoder.losses import ListNetLoss

from likewise.losses.cross_encoder import list_net


def lists(seed, queries=4, candidates=6):
    draw = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(queries, candidates, generator=draw)
    grades = torch.randint(4, (queries, candidates), generator=draw)
    mask = torch.rand(queries, candidates, generator=draw) < 0.7
    mask[:, 0] = True
    return logits.requires_grad_(), grades, mask


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("graded", [True, False], ids=["graded", "positive or not"])
def test_value_and_gradient_are_the_peers(seed, graded, peer_of_lists):
    logits, grades, mask = lists(seed)
    if not graded:
        grades = torch.zeros_like(grades)
        grades[:, 0] = 1
    ours = list_net(logits, grades, mask)
    theirs = peer_of_lists(ListNetLoss, logits, grades, mask)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(
        torch.autograd.grad(ours, logits), torch.autograd.grad(theirs, logits)
    )


def test_the_least_is_the_entropy_of_the_grades_where_the_logits_equal_them():
    _, grades, _ = lists(0)
    logits = grades.double().requires_grad_()
    entropy = torch.distributions.Categorical(logits=logits.detach()).entropy().mean()
    loss = list_net(logits, grades)
    torch.testing.assert_close(loss, entropy, check_dtype=False)
    (gradient,) = torch.autograd.grad(loss, logits)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient))


def test_a_query_without_candidates_is_refused():
    mask = torch.tensor([[True, True], [False, False]])
    with pytest.raises(ValueError, match="a candidate of every query"):
        list_net(torch.zeros(2, 2), torch.ones(2, 2), mask)


def test_grades_of_other_candidates_are_refused():
    with pytest.raises(ValueError, match="one grade a logit"):
        list_net(torch.zeros(2, 3), torch.ones(3))
