import itertools
import math

import pytest
import torch
from sentence_transformers.cross_encoder.losses import (
    LambdaLoss,
    LambdaRankScheme,
    NDCGLoss1Scheme,
    NDCGLoss2PPScheme,
    NDCGLoss2Scheme,
    NoWeightingScheme,
    RankNetLoss,
)

from likewise.losses.cross_encoder import lambda_ranking

SCHEMES = {
    "ndcg-loss1": NDCGLoss1Scheme,
    "ndcg-loss2": NDCGLoss2Scheme,
    "ndcg-loss2++": NDCGLoss2PPScheme,
    "lambda-rank": LambdaRankScheme,
    "none": NoWeightingScheme,
}

each_weighting = pytest.mark.parametrize("weighting", SCHEMES)


def lists(seed, queries=4, candidates=7):
    """Logits, grades from 0 to 3 of which every query has two, and a mask."""
    draw = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(queries, candidates, generator=draw)
    grades = torch.randint(4, (queries, candidates), generator=draw)
    grades[:, 0], grades[:, 1] = 3, 0
    mask = torch.rand(queries, candidates, generator=draw) < 0.7
    mask[:, :2] = True
    return logits.requires_grad_(), grades, mask


def assert_same(ours, theirs, logits):
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(
        torch.autograd.grad(ours, logits), torch.autograd.grad(theirs, logits)
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("k", [None, 1, 3])
@each_weighting
def test_value_and_gradient_are_the_peers(seed, k, weighting, peer_of_lists):
    logits, grades, mask = lists(seed)
    ours = lambda_ranking(logits, grades, mask, weighting=weighting, k=k)
    scheme = SCHEMES[weighting]()
    theirs = peer_of_lists(LambdaLoss, logits, grades, mask, weighting_scheme=scheme, k=k)
    assert_same(ours, theirs, logits)


@pytest.mark.parametrize("sigma", [0.5, 3.0])
@pytest.mark.parametrize("unit", ["bits", "nats"])
@pytest.mark.parametrize("mu", [1.0, 20.0])
def test_the_options_are_the_peers(sigma, unit, mu, peer_of_lists):
    logits, grades, mask = lists(5)
    ours = lambda_ranking(logits, grades, mask, sigma=sigma, unit=unit, mu=mu)
    base = {"bits": "binary", "nats": "natural"}[unit]
    given = {"sigma": sigma, "reduction_log": base, "weighting_scheme": NDCGLoss2PPScheme(mu)}
    assert_same(ours, peer_of_lists(LambdaLoss, logits, grades, mask, **given), logits)


def test_the_defaults_are_the_peers(peer_of_lists):
    logits, grades, mask = lists(6)
    ours = lambda_ranking(logits, grades, mask)
    assert_same(ours, peer_of_lists(LambdaLoss, logits, grades, mask), logits)


@pytest.mark.parametrize("weighting", sorted(SCHEMES.keys() - {"ndcg-loss1"}))
def test_a_query_of_one_grade_contributes_nothing_as_at_the_peer(weighting, peer_of_lists):
    logits, grades, mask = lists(7)
    grades[1], grades[2] = 2, 0
    ours = lambda_ranking(logits, grades, mask, weighting=weighting)
    scheme = SCHEMES[weighting]()
    theirs = peer_of_lists(LambdaLoss, logits, grades, mask, weighting_scheme=scheme)
    assert_same(ours, theirs, logits)


@each_weighting
def test_a_query_of_one_grade_contributes_nothing(weighting):
    logits, grades, mask = lists(7)
    grades[1], grades[2] = 2, 0
    kept = [0, 3]
    loss = lambda_ranking(logits, grades, mask, weighting=weighting)
    without = lambda_ranking(logits[kept], grades[kept], mask[kept], weighting=weighting)
    torch.testing.assert_close(loss, without)
    assert not torch.autograd.grad(loss, logits)[0][[1, 2]].any()


def test_without_weights_it_is_ranknet(peer_of_lists):
    logits, grades, mask = lists(8)
    ours = lambda_ranking(logits, grades, mask, weighting="none")
    assert_same(ours, peer_of_lists(RankNetLoss, logits, grades, mask), logits)


def test_lambda_rank_weighs_a_pair_by_what_exchanging_it_would_change_of_ndcg():
    """One query, its candidates in the order of their logits, by the definition."""
    grades = [0, 2, 1]
    logits = torch.tensor([3.0, 2.0, 0.5], dtype=torch.float64)

    def dcg(ranking):
        return sum((2**grade - 1) / math.log2(2 + place) for place, grade in enumerate(ranking))

    terms = []
    for i, j in itertools.permutations(range(3), 2):
        if grades[i] > grades[j]:
            swapped = list(grades)
            swapped[i], swapped[j] = swapped[j], swapped[i]
            change = abs(dcg(swapped) - dcg(grades)) / dcg(sorted(grades, reverse=True))
            terms.append(change * math.log2(1 + math.exp(logits[j] - logits[i])))
    loss = lambda_ranking(logits[None], torch.tensor([grades]), weighting="lambda-rank")
    assert loss.item() == pytest.approx(sum(terms) / len(terms))


@each_weighting
def test_the_right_order_costs_less_than_the_wrong_one(weighting):
    grades = torch.tensor([[3, 2, 1, 0]])
    right = torch.tensor([[3.0, 2.0, 1.0, 0.0]])
    wrong = lambda_ranking(right.flip(1), grades, weighting=weighting)
    assert lambda_ranking(right, grades, weighting=weighting) < wrong


def test_a_pair_beyond_the_first_k_ranks_has_no_gradient():
    logits = torch.tensor([[4.0, 3.0, 2.0, 1.0]], requires_grad=True)
    grades = torch.tensor([[1, 1, 0, 1]])  # the first has its only pair with the third
    (gradient,) = torch.autograd.grad(lambda_ranking(logits, grades, k=1), logits)
    assert [bool(slope) for slope in gradient[0]] == [True, False, True, False]


@each_weighting
def test_candidates_of_one_grade_are_refused(weighting):
    logits, grades, mask = lists(0)
    with pytest.raises(ValueError, match=r"^lambda_ranking needs a query .* two grades"):
        lambda_ranking(logits, torch.ones_like(grades), mask, weighting=weighting)


def test_two_grades_of_which_one_is_masked_are_one():
    grades = torch.tensor([[1, 1, 0]])
    with pytest.raises(ValueError, match="two grades"):
        lambda_ranking(torch.zeros(1, 3), grades, torch.tensor([[True, True, False]]))


def test_a_grade_below_zero_has_no_gain():
    logits, grades, mask = lists(0)
    with pytest.raises(ValueError, match="grades of 0 or more"):
        lambda_ranking(logits, grades - 3, mask)
    shifted = lambda_ranking(logits, grades - 3, mask, weighting="none")
    assert torch.equal(shifted, lambda_ranking(logits, grades, mask, weighting="none"))


@pytest.mark.parametrize("options", [{"sigma": 0.0}, {"k": 0}])
def test_an_option_that_leaves_nothing_is_refused(options):
    logits, grades, mask = lists(0)
    with pytest.raises(ValueError, match="sigma above 0 and k of 1 or more"):
        lambda_ranking(logits, grades, mask, **options)


def test_grades_of_other_candidates_are_refused():
    with pytest.raises(ValueError, match="one grade a logit"):
        lambda_ranking(torch.zeros(2, 3), torch.ones(3))
