import math

import pytest
import torch
from sentence_transformers.sentence_transformer.losses import BatchAllTripletLoss

from likewise.losses import batch_all

LINE = torch.tensor([[0.0], [1.0], [4.0], [6.0], [9.0]])  # embeddings of one dimension
OF_LINE = torch.tensor([0, 0, 0, 1, 1])


def all_gaps():
    """Positive minus negative distance of every triplet of the line."""
    x, label = LINE.flatten().tolist(), OF_LINE.tolist()
    places = range(len(x))
    return [
        abs(x[a] - x[p]) - abs(x[a] - x[n])
        for a in places
        for p in places
        for n in places
        if a != p and label[a] == label[p] != label[n]
    ]


def test_it_is_the_mean_of_the_triplets_that_cost_anything():
    costs = [gap + 1 for gap in all_gaps() if gap + 1 > 0]
    assert 0 < len(costs) < len(all_gaps())
    loss = batch_all(LINE, OF_LINE, margin=1.0).item()
    assert loss == pytest.approx(sum(costs) / len(costs))


def test_a_soft_margin_takes_all_of_them():
    costs = [math.log1p(math.exp(gap)) for gap in all_gaps()]
    loss = batch_all(LINE, OF_LINE, soft_margin=True).item()
    assert loss == pytest.approx(sum(costs) / len(costs))


@pytest.mark.parametrize("labels", [[0] * 5, [0, 1, 2, 3, 4]])
def test_where_the_peer_is_a_constant_zero_labels_are_refused(
    labels, embeddings_only, peer_loss, draw_embeddings
):
    rows, target = draw_embeddings(5), torch.tensor(labels)
    theirs = peer_loss(BatchAllTripletLoss(embeddings_only), rows, target)
    (gradient,) = torch.autograd.grad(theirs, rows)
    assert (theirs.item(), gradient.any().item()) == (0.0, False)
    with pytest.raises(ValueError, match="batch_all needs a label with two rows"):
        batch_all(*rows, target)
