import pytest
import torch
from sentence_transformers.sentence_transformer.losses import SoftmaxLoss

from likewise.losses import LOSSES, softmax_nli
from likewise.losses.softmax_classification import pair_classifier


@pytest.mark.parametrize("product", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_value_and_gradients_are_the_peers_for_embeddings_and_head(
    product, seed, draw_embeddings, embeddings_only, peer_loss, assert_same
):
    pair = draw_embeddings(8, 8, seed=seed)
    labels = torch.randint(3, (8,), generator=torch.Generator().manual_seed(seed))
    peer = SoftmaxLoss(embeddings_only, 6, num_labels=3, concatenation_sent_multiplication=product)
    head = pair_classifier(6, 3, product=product)
    head.linear = peer.classifier  # the very same weights
    ours = softmax_nli(*pair, labels, head)
    weights = [*pair, peer.classifier.weight, peer.classifier.bias]
    assert_same(ours, peer_loss(peer, pair, labels), weights)


def test_any_module_can_be_the_head(draw_embeddings):
    pair, labels = draw_embeddings(8, 8), torch.arange(8) % 3
    head = pair_classifier(6, 3)
    assert torch.equal(softmax_nli(*pair, labels, head), softmax_nli(*pair, labels, head.linear))


@pytest.mark.parametrize("product", [False, True])
def test_a_step_moves_the_head_and_lowers_the_loss(product):
    draw = torch.Generator().manual_seed(0)
    u, v = (torch.randn(12, 6, generator=draw) for _ in range(2))
    labels = torch.arange(12) % 3
    head = LOSSES["softmax"].head(6, 3, product=product)
    before = [weight.clone() for weight in head.parameters()]
    optimiser = torch.optim.SGD(head.parameters(), lr=0.1)
    first = softmax_nli(u, v, labels, head)
    first.backward()
    optimiser.step()
    assert all(not torch.equal(a, b) for a, b in zip(before, head.parameters(), strict=True))
    assert softmax_nli(u, v, labels, head) < first
