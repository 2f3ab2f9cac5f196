import torch
from sentence_transformers.sentence_transformer.losses import SoftmaxLoss

from likewise.losses import LOSSES, softmax_nli


def test_value_and_gradients_are_the_peers_for_embeddings_and_head(embeddings_only, peer_loss):
    draw = torch.Generator().manual_seed(0)
    pair = [torch.randn(8, 6, generator=draw, requires_grad=True) for _ in range(2)]
    labels = torch.randint(3, (8,), generator=draw)
    peer = SoftmaxLoss(embeddings_only, embedding_dimension=6, num_labels=3)
    weights = [*pair, peer.classifier.weight, peer.classifier.bias]
    ours = softmax_nli(*pair, labels, peer.classifier)
    theirs = peer_loss(peer, pair, labels)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(
        torch.autograd.grad(ours, weights), torch.autograd.grad(theirs, weights)
    )


def test_a_step_moves_the_head_and_lowers_the_loss():
    draw = torch.Generator().manual_seed(0)
    u, v = (torch.randn(12, 6, generator=draw) for _ in range(2))
    labels = torch.arange(12) % 3
    head = LOSSES["softmax"].head(6, 3)
    before = [weight.clone() for weight in head.parameters()]
    optimiser = torch.optim.SGD(head.parameters(), lr=0.1)
    first = softmax_nli(u, v, labels, head)
    first.backward()
    optimiser.step()
    assert all(not torch.equal(a, b) for a, b in zip(before, head.parameters(), strict=True))
    assert softmax_nli(u, v, labels, head) < first
