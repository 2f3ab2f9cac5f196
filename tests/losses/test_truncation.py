import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers.sentence_transformer.losses import (
    ContrastiveLoss,
    CoSENTLoss,
    MatryoshkaLoss,
    MultipleNegativesRankingLoss,
    TripletLoss,
)

from likewise.losses import contrastive, cosent, matryoshka, mnr, triplet

SCORES = torch.tensor([0.1, 0.9, 0.4, 0.7, 0.2, 0.3, 0.8, 0.5])
LABELS = (SCORES > 0.5).long()
CASES = {
    "mnr": (2, MultipleNegativesRankingLoss, None, lambda u, v: mnr(u, v)),
    "cosent": (2, CoSENTLoss, SCORES, lambda u, v: cosent(u, v, SCORES)),
    "contrastive": (2, ContrastiveLoss, LABELS, lambda u, v: contrastive(u, v, LABELS)),
    # euclidean: it sees that the peer scales every length to 1, the full one too
    "triplet": (3, TripletLoss, None, lambda a, p, n: triplet(a, p, n)),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dimensions", [[6, 3, 1], [2, 6], [4]])
@pytest.mark.parametrize("weighted", [False, True])
def test_value_and_gradients_are_the_peers(
    name, dimensions, weighted, draw_embeddings, embeddings_only, peer_loss, assert_same
):
    columns, peer, target, loss = CASES[name]
    rows = draw_embeddings(*[8] * columns)
    weights = [1.0, 0.5, 0.25][: len(dimensions)] if weighted else None
    ours = matryoshka(
        lambda table: loss(*table.split(8)), torch.cat(rows), dimensions=dimensions, weights=weights
    )
    inner = peer(embeddings_only)
    theirs = MatryoshkaLoss(embeddings_only, inner, dimensions, matryoshka_weights=weights)
    assert_same(ours, peer_loss(theirs, rows, target), rows)


@settings(deadline=None)
@given(st.integers(1, 6))
def test_dimensions_beyond_the_length_change_nothing(kept):
    table = torch.randn(8, 6, generator=torch.Generator().manual_seed(0), requires_grad=True)
    loss = matryoshka(lambda rows: mnr(*rows.split(4)), table, dimensions=[kept])
    torch.testing.assert_close(loss, mnr(*table[:, :kept].split(4)))
    (gradient,) = torch.autograd.grad(loss, table)
    assert not gradient[:, kept:].any()


def test_narrow_embeddings_are_widened_first():
    table = torch.randn(8, 6, generator=torch.Generator().manual_seed(0)).bfloat16()
    seen = []
    loss = matryoshka(lambda rows: seen.append(rows) or rows.sum(), table, dimensions=[6, 2])
    assert loss.dtype == torch.float32
    assert {rows.dtype for rows in seen} == {torch.float32}
    assert [rows.shape for rows in seen] == [table.shape] * 2


@pytest.mark.parametrize("dimensions", [[], [0], [3, 7], [-1]])
def test_lengths_that_an_embedding_does_not_have_are_refused(dimensions):
    with pytest.raises(ValueError, match="matryoshka needs dimensions from 1 to 6"):
        matryoshka(torch.sum, torch.ones(2, 6), dimensions=dimensions)


def test_as_many_weights_as_dimensions():
    with pytest.raises(ValueError, match="found 2 dimensions and 1 weights"):
        matryoshka(torch.sum, torch.ones(2, 6), dimensions=[6, 3], weights=[1.0])
