import pytest
import torch
from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss
from torch import Tensor

from likewise.losses.cross_encoder import binary_cross_entropy


def pairs(seed, n=9):
    draw = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(n, generator=draw), torch.rand(n, generator=draw)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("positive_weight", [1.0, 4.0])
@pytest.mark.parametrize("change", [Tensor.round, Tensor.clone], ids=["labels", "scores"])
def test_value_and_gradient_are_the_peers(seed, positive_weight, change, peer_of_pairs):
    logits, targets = pairs(seed)
    logits.requires_grad_()
    targets = change(targets)
    ours = binary_cross_entropy(logits, targets, positive_weight=positive_weight)
    weight = None if positive_weight == 1.0 else torch.tensor(positive_weight)
    theirs = peer_of_pairs(BinaryCrossEntropyLoss, logits, targets, pos_weight=weight)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(
        torch.autograd.grad(ours, logits), torch.autograd.grad(theirs, logits)
    )


@pytest.mark.parametrize("kind", [torch.bool, torch.int64, torch.bfloat16])
def test_labels_of_any_type_are_numbers(kind):
    logits, targets = pairs(0)
    labels = targets.round()
    assert torch.equal(
        binary_cross_entropy(logits, labels.to(kind)), binary_cross_entropy(logits, labels)
    )


def test_the_gradient_vanishes_where_the_probability_is_the_target():
    _, targets = pairs(1)
    logits = targets.double().logit().requires_grad_()
    (gradient,) = torch.autograd.grad(binary_cross_entropy(logits, targets), logits)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient))


@pytest.mark.parametrize("wrong", [-0.1, 1.1, 5.0, float("nan")])
def test_a_target_that_is_no_probability_is_refused(wrong):
    with pytest.raises(ValueError, match="needs targets from 0 to 1"):
        binary_cross_entropy(torch.zeros(2), torch.tensor([0.5, wrong]))


def test_a_column_of_logits_is_not_paired_with_every_target():
    with pytest.raises(ValueError, match=r"one target a logit, found \[4, 1\] and \[4\]"):
        binary_cross_entropy(torch.zeros(4, 1), torch.zeros(4))


@pytest.mark.parametrize("weight", [0.0, -1.0])
def test_a_weight_that_forgets_the_positives_is_refused(weight):
    with pytest.raises(ValueError, match="needs a weight above 0"):
        binary_cross_entropy(torch.zeros(2), torch.ones(2), positive_weight=weight)
