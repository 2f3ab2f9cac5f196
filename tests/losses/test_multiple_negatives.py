import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

from likewise.losses import mnr


def embeddings(*sizes, width=6, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return [torch.randn(n, width, generator=draw, requires_grad=True) for n in sizes]


def gradients(loss, tensors):
    return torch.autograd.grad(loss, tensors)


BOTH_WAYS = {"directions": ("query_to_doc", "doc_to_query"), "partition_mode": "per_direction"}


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("n_negatives", [0, 1, 3])
@pytest.mark.parametrize("scale", [20.0, 1.0])
def test_value_and_gradients_are_the_peers(
    symmetric, n_negatives, scale, embeddings_only, peer_loss
):
    rows = embeddings(*[8] * (2 + n_negatives))
    anchors, positives, *negatives = rows
    more = torch.cat(negatives) if negatives else None
    ours = mnr(anchors, positives, more, scale=scale, symmetric=symmetric)
    ways = BOTH_WAYS if symmetric else {}
    theirs = peer_loss(
        MultipleNegativesRankingLoss(embeddings_only, scale=scale, **ways), rows, None
    )
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradients(ours, rows), gradients(theirs, rows))


@pytest.mark.parametrize("symmetric", [False, True])
def test_equal_cosines_cost_the_log_of_the_number_of_candidates(symmetric):
    same = torch.ones(4, 3)
    loss = mnr(same, same, torch.ones(6, 3), symmetric=symmetric).item()
    forward, backward = math.log(4 + 6), math.log(4)
    assert loss == pytest.approx((forward + backward) / 2 if symmetric else forward)


@settings(deadline=None)
@given(st.floats(0.01, 100), st.floats(0.01, 100))
def test_the_length_of_an_embedding_changes_nothing(left, right):
    anchors, positives = (rows.detach() for rows in embeddings(5, 5))
    scaled = mnr(left * anchors, right * positives)
    torch.testing.assert_close(scaled, mnr(anchors, positives), rtol=1e-4, atol=1e-5)


def test_a_masked_candidate_counts_as_if_it_were_absent():
    anchors, positives, negatives = embeddings(2, 2, 3)
    collides = torch.tensor([[False, False, False, True, False]] * 2)
    kept = negatives[[0, 2]]
    torch.testing.assert_close(
        mnr(anchors, positives, negatives, collides), mnr(anchors, positives, kept)
    )
    (gradient,) = gradients(mnr(anchors, positives, negatives, collides), [negatives])
    assert not gradient[1].any()


def test_an_anchor_never_loses_its_own_positive():
    anchors, positives = embeddings(4, 4)
    eye = torch.eye(4, dtype=torch.bool)
    assert torch.equal(mnr(anchors, positives, None, eye), mnr(anchors, positives))
    assert eye.diagonal().all()  # and the mask is left as it was


@pytest.mark.parametrize("symmetric", [False, True])
def test_rows_that_share_a_positive_do_not_repel_each_other(symmetric):
    """Two anchors with one positive, and one other row, by the definition of the loss."""
    anchors, distinct = embeddings(3, 2)
    positives = distinct[[0, 0, 1]]
    collides = torch.tensor([[False, True, False], [True, False, False], [False, False, False]])
    unit = torch.nn.functional.normalize
    exp = (20 * unit(anchors) @ unit(positives).T).exp()
    forward = [
        exp[0, 0] / (exp[0, 0] + exp[0, 2]),
        exp[1, 1] / (exp[1, 1] + exp[1, 2]),
        exp[2, 2] / exp[2].sum(),
    ]
    backward = [  # positive i among the anchors; anchors that have the same positive are left out
        exp[0, 0] / (exp[0, 0] + exp[2, 0]),
        exp[1, 1] / (exp[1, 1] + exp[2, 1]),
        exp[2, 2] / exp[:, 2].sum(),
    ]
    expected = -torch.stack(forward).log().mean()
    if symmetric:
        expected = (expected - torch.stack(backward).log().mean()) / 2
    loss = mnr(anchors, positives, None, collides, symmetric=symmetric)
    torch.testing.assert_close(loss, expected)


def test_the_two_directions_swap_with_the_sides():
    anchors, positives = embeddings(5, 5)
    one_way = mnr(anchors, positives)
    other_way = mnr(positives, anchors)
    both = mnr(anchors, positives, symmetric=True)
    torch.testing.assert_close(both, (one_way + other_way) / 2)


def test_a_batch_in_which_every_candidate_collides_is_refused():
    anchors, positives = embeddings(3, 3)
    with pytest.raises(ValueError, match="two candidates or more"):
        mnr(anchors, positives, None, torch.ones(3, 3, dtype=torch.bool))


def test_one_anchor_with_a_negative_is_enough():
    anchor, positive, negative = embeddings(1, 1, 1)
    assert mnr(anchor, positive, negative).isfinite()
