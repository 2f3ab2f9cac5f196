import pytest
import torch
from sentence_transformers.cross_encoder.losses import CrossEntropyLoss

from likewise.losses.cross_encoder import cross_entropy


def pairs(seed, n=9, classes=3):
    draw = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(n, classes, generator=draw)
    return logits.requires_grad_(), torch.randint(classes, (n,), generator=draw)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_value_and_gradient_are_the_peers(seed, classes, label_smoothing, peer_of_pairs):
    logits, labels = pairs(seed, classes=classes)
    ours = cross_entropy(logits, labels, label_smoothing=label_smoothing)
    theirs = peer_of_pairs(CrossEntropyLoss, logits, labels, label_smoothing=label_smoothing)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(
        torch.autograd.grad(ours, logits), torch.autograd.grad(theirs, logits)
    )


def test_smoothing_spreads_its_share_over_all_labels():
    logits, labels = pairs(0)
    everywhere = -logits.log_softmax(dim=1).mean()
    expected = 0.8 * cross_entropy(logits, labels) + 0.2 * everywhere
    torch.testing.assert_close(cross_entropy(logits, labels, label_smoothing=0.2), expected)


@pytest.mark.parametrize("wrong", [-100, -1, 3])
def test_a_label_without_a_logit_is_refused(wrong):
    with pytest.raises(ValueError, match="one label a pair, from 0 to 2"):
        cross_entropy(torch.zeros(2, 3), torch.tensor([0, wrong]))


def test_labels_of_other_pairs_are_refused():
    with pytest.raises(ValueError, match="one label a pair"):
        cross_entropy(torch.zeros(2, 3), torch.tensor([0, 1, 2]))


def test_one_logit_a_pair_is_refused():
    with pytest.raises(ValueError, match="two classes or more"):
        cross_entropy(torch.zeros(2), torch.tensor([0, 1]))


@pytest.mark.parametrize("smoothing", [-0.1, 1.0])
def test_smoothing_that_leaves_nothing_of_the_label_is_refused(smoothing):
    with pytest.raises(ValueError, match="smoothing from 0 to below 1"):
        cross_entropy(torch.zeros(2, 3), torch.tensor([0, 1]), label_smoothing=smoothing)
