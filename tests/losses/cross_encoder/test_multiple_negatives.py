import pytest
import torch
from sentence_transformers.cross_encoder.losses import MultipleNegativesRankingLoss

from likewise.losses.cross_encoder import ranking_softmax


def table(seed, rows, columns):
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(rows, columns, generator=draw).requires_grad_()


def positive_first(logits):
    """The candidates of each anchor, its own positive moved from its column to the first."""
    own = torch.eye(*logits.shape, dtype=torch.bool)
    others = logits[~own].reshape(len(logits), -1)
    return torch.cat([logits[own].unsqueeze(1), others], dim=1)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("n_texts", [1, 2, 3], ids="{} texts an anchor".format)
@pytest.mark.parametrize("scale", [10.0, 1.0])
@pytest.mark.parametrize("through_sigmoid", [True, False])
def test_value_and_gradient_are_the_peers(seed, n_texts, scale, through_sigmoid, peer_in_batch):
    logits = table(seed, 5, 5 * n_texts)
    ours = ranking_softmax(positive_first(logits), scale=scale, through_sigmoid=through_sigmoid)
    activation = torch.nn.Sigmoid() if through_sigmoid else torch.nn.Identity()
    theirs = peer_in_batch(
        MultipleNegativesRankingLoss, logits, scale=scale, activation_fn=activation
    )
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(
        torch.autograd.grad(ours, logits), torch.autograd.grad(theirs, logits)
    )


def test_the_defaults_are_the_peers(peer_in_batch):
    logits = table(3, 4, 8)
    theirs = peer_in_batch(MultipleNegativesRankingLoss, logits)
    torch.testing.assert_close(ranking_softmax(positive_first(logits)), theirs)


def test_a_query_has_the_loss_of_the_candidates_it_has():
    logits = table(0, 2, 4)
    mask = torch.tensor([[True, True, False, True], [True, False, False, True]])
    alone = [ranking_softmax(row[kept][None]) for row, kept in zip(logits, mask, strict=True)]
    torch.testing.assert_close(ranking_softmax(logits, mask), torch.stack(alone).mean())


def test_a_query_without_a_negative_costs_nothing_beside_one_that_has_some():
    logits = table(0, 2, 3)
    mask = torch.tensor([[True, False, False], [True, True, True]])
    torch.testing.assert_close(ranking_softmax(logits, mask), ranking_softmax(logits[1:]) / 2)


def test_a_query_without_a_positive_is_refused():
    mask = torch.tensor([[False, True], [True, True]])
    with pytest.raises(ValueError, match="positive of every query"):
        ranking_softmax(torch.zeros(2, 2), mask)


@pytest.mark.parametrize("scale", [0.0, -1.0])
def test_a_scale_that_ranks_nothing_is_refused(scale):
    with pytest.raises(ValueError, match="scale above 0"):
        ranking_softmax(torch.zeros(2, 2), scale=scale)
