import math

import pytest
import torch
from sentence_transformers.sentence_transformer.losses import (
    ContrastiveTensionLoss,
    ContrastiveTensionLossInBatchNegatives,
)

from likewise.losses import mnr
from likewise.losses.contrastive_tension import contrastive_tension, contrastive_tension_in_batch

LABELS = torch.tensor([1, 0, 0, 0, 1, 0, 0, 0])


def test_value_and_gradients_are_the_peers(
    draw_embeddings, assert_same, embeddings_only, peer_loss
):
    rows = draw_embeddings(8, 8)
    theirs = peer_loss(ContrastiveTensionLoss(embeddings_only), rows, LABELS)
    assert_same(contrastive_tension(*rows, LABELS), theirs, rows)


class SameForBoth:
    """What the peer hands to its two models: the first asks for the first vectors."""

    def __init__(self, rows):
        self.left = iter(rows)

    def __getitem__(self, name):
        return next(self.left)


@pytest.mark.parametrize("scale", [20.0, 3.0])
def test_in_batch_value_and_gradients_are_the_peers(
    scale, draw_embeddings, assert_same, embeddings_only
):
    rows = draw_embeddings(8, 8)
    loss = ContrastiveTensionLossInBatchNegatives(embeddings_only, scale=scale)
    theirs = loss([SameForBoth(rows)], None)
    ours = contrastive_tension_in_batch(*rows, loss.logit_scale)
    assert_same(ours, theirs, [*rows, loss.logit_scale])


def test_pairs_without_any_likeness_cost_log_two_each():
    loss = contrastive_tension(torch.ones(8, 3), torch.zeros(8, 3), LABELS)
    assert loss.item() == pytest.approx(8 * math.log(2))


def test_a_high_product_is_good_for_one_text_and_bad_for_two():
    one, two = torch.tensor([1, 0]), torch.tensor([0, 1])
    first, second = torch.eye(2), torch.tensor([[9.0, 0.0], [0.0, -9.0]])
    assert contrastive_tension(first, second, one) < 1e-3
    assert contrastive_tension(first, second, two) > 17


def test_equal_cosines_cost_the_log_of_the_batch():
    same = torch.ones(6, 3)
    loss = contrastive_tension_in_batch(same, 2 * same, torch.tensor(1.0))
    assert loss.item() == pytest.approx(math.log(6))


def test_near_duplicates_do_not_repel_each_other(draw_embeddings):
    """As the ranking in both directions with the same candidates masked."""
    first, second = draw_embeddings(5, 5)
    collides = torch.zeros(5, 5, dtype=torch.bool)
    collides[0, 3] = collides[3, 0] = True
    log_scale = torch.tensor(math.log(7.0))
    expected = mnr(first, second, None, collides, scale=7.0, symmetric=True)
    loss = contrastive_tension_in_batch(first, second, log_scale, collides)
    torch.testing.assert_close(loss, expected)
    assert not torch.allclose(loss, contrastive_tension_in_batch(first, second, log_scale))


@pytest.mark.parametrize("name", ["classic", "in-batch"])
def test_gradients_are_those_of_finite_differences(name, draw_embeddings):
    first, second = (t.detach().double().requires_grad_() for t in draw_embeddings(8, 8))
    log_scale = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    if name == "classic":
        assert torch.autograd.gradcheck(
            lambda a, b: contrastive_tension(a, b, LABELS), (first, second)
        )
    else:
        assert torch.autograd.gradcheck(contrastive_tension_in_batch, (first, second, log_scale))


def test_narrow_vectors_give_a_wide_loss(draw_embeddings):
    first, second = (t.detach().bfloat16() for t in draw_embeddings(8, 8))
    assert contrastive_tension(first, second, LABELS).dtype == torch.float32
    loss = contrastive_tension_in_batch(first, second, torch.tensor(3.0))
    assert loss.dtype == torch.float32


@pytest.mark.parametrize("labels", [[], [1, 1], [0, 0, 0]])
def test_pairs_of_one_sort_are_refused(labels):
    vectors = torch.ones(len(labels), 3)
    with pytest.raises(ValueError, match="both kinds"):
        contrastive_tension(vectors, vectors, torch.tensor(labels))


def test_a_batch_without_a_negative_is_refused():
    with pytest.raises(ValueError, match="two candidates or more"):
        contrastive_tension_in_batch(torch.ones(1, 3), torch.ones(1, 3), torch.tensor(3.0))
    everything = torch.ones(2, 2, dtype=torch.bool)
    with pytest.raises(ValueError, match="two candidates or more"):
        contrastive_tension_in_batch(
            torch.ones(2, 3), torch.ones(2, 3), torch.tensor(3.0), everything
        )
