import pytest
import torch
from torch.nn.functional import normalize

from likewise.losses import mnr
from likewise.losses.weighted_negatives import weighted_mnr

OWN = torch.eye(4, dtype=torch.bool)


def test_with_weight_one_it_is_mnr(draw_embeddings, assert_same):
    rows = draw_embeddings(4, 4, 4)
    assert_same(weighted_mnr(*rows, None, OWN), mnr(*rows), rows)


@pytest.mark.parametrize("weight", [0.5, 2.0])
def test_an_own_negative_counts_weight_times(weight, draw_embeddings):
    """Equation 8 of the paper, one anchor at a time."""
    anchors, positives, negatives = draw_embeddings(4, 4, 4)
    terms = []
    for i in range(4):
        anchor = normalize(anchors[i], dim=0)
        good = (5 * normalize(positives, dim=1) @ anchor).exp()
        bad = (5 * normalize(negatives, dim=1) @ anchor).exp()
        counts = torch.ones(4)
        counts[i] = weight
        terms.append(-(good[i] / (good.sum() + (counts * bad).sum())).log())
    loss = weighted_mnr(anchors, positives, negatives, None, OWN, scale=5.0, weight=weight)
    torch.testing.assert_close(loss, torch.stack(terms).mean())


def test_a_masked_candidate_stays_out_whatever_its_weight(draw_embeddings):
    rows = draw_embeddings(4, 4, 4)
    collides = torch.cat([torch.zeros(4, 4, dtype=torch.bool), OWN], dim=1)
    losses = [weighted_mnr(*rows, collides, OWN, weight=weight) for weight in (1.0, 9.0)]
    torch.testing.assert_close(*losses)
    torch.testing.assert_close(losses[0], mnr(*rows, collides))


def test_gradients_are_those_of_finite_differences(draw_embeddings):
    rows = [t.detach().double().requires_grad_() for t in draw_embeddings(4, 4, 4)]
    assert torch.autograd.gradcheck(
        lambda a, p, n: weighted_mnr(a, p, n, None, OWN, scale=2.0, weight=3.0), rows
    )


@pytest.mark.parametrize("weight", [0.0, -1.0, float("inf"), float("nan")])
def test_a_weight_out_of_range_is_refused(weight, draw_embeddings):
    with pytest.raises(ValueError, match="weight"):
        weighted_mnr(*draw_embeddings(4, 4, 4), None, OWN, weight=weight)
