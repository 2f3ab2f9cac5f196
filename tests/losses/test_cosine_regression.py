import pytest
import torch
from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss

from likewise.losses import cosine


def test_value_and_gradients_are_the_peers(embeddings_only, peer_loss):
    draw = torch.Generator().manual_seed(0)
    pair = [torch.randn(8, 6, generator=draw, requires_grad=True) for _ in range(2)]
    scores = torch.rand(8, generator=draw)
    ours = cosine(*pair, scores)
    theirs = peer_loss(CosineSimilarityLoss(embeddings_only), pair, scores)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(torch.autograd.grad(ours, pair), torch.autograd.grad(theirs, pair))


def test_it_is_zero_where_every_cosine_equals_its_score():
    u = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0]])
    v = torch.tensor([[2.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])
    assert cosine(u, v, torch.tensor([1.0, 0.0, -1.0])).item() == pytest.approx(0.0)


@pytest.mark.parametrize("bad", [5.0, -1.5])
def test_a_score_that_no_cosine_reaches_is_refused(bad):
    with pytest.raises(ValueError, match="from -1 to 1"):
        cosine(torch.eye(2), torch.eye(2), torch.tensor([0.5, bad]))
