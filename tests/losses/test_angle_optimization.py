import pytest
import torch
from sentence_transformers.sentence_transformer.losses import AnglELoss

from likewise.losses import angle


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("scale", [20.0, 1.0])
@pytest.mark.parametrize("width", [6, 7], ids=["even", "odd"])
@pytest.mark.parametrize("scores", [[0.1, 0.9, 0.4, 0.4, 0.2], [0, 1, 1, 0, 1], [0.5] * 5])
def test_value_and_gradients_are_the_peers(
    seed, scale, width, scores, draw_embeddings, embeddings_only, peer_loss, assert_same
):
    pair = draw_embeddings((5, width), (5, width), seed=seed)
    target = torch.tensor(scores, dtype=torch.float32)
    ours = angle(*pair, target, scale=scale)
    assert_same(ours, peer_loss(AnglELoss(embeddings_only, scale=scale), pair, target), pair)


def test_the_similarity_is_that_of_complex_vectors():
    """|Re + Im| of the inner product of unit vectors in complex numbers."""
    draw = torch.Generator().manual_seed(0)
    u, v = (torch.randn(2, 8, generator=draw, dtype=torch.float64) for _ in range(2))
    z, w = (torch.complex(*(x / x.norm(dim=1, keepdim=True)).chunk(2, dim=1)) for x in (u, v))
    inner = (z * w.conj()).sum(dim=1)
    worse, better = (inner.real + inner.imag).abs()
    expected = torch.log1p((3 * (worse - better)).exp())
    torch.testing.assert_close(angle(u, v, torch.tensor([0.0, 1.0]), scale=3.0), expected)
