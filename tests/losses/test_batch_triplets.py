import itertools

import pytest
import torch
from sentence_transformers.sentence_transformer.losses import (
    BatchAllTripletLoss,
    BatchHardTripletLoss,
    BatchHardTripletLossDistanceFunction,
    BatchSemiHardTripletLoss,
)

from likewise.losses import batch_all, batch_hard, batch_semi_hard
from likewise.losses.batch_triplets import find_hardest, relate_labels

THEIRS = {
    "euclidean": BatchHardTripletLossDistanceFunction.euclidean_distance,
    "cosine": BatchHardTripletLossDistanceFunction.cosine_distance,
}
LABELS = {"even": [0, 0, 1, 1, 2, 2, 0, 1, 2], "uneven": [0, 0, 0, 0, 0, 0, 1, 1, 2]}

each_loss = pytest.mark.parametrize(
    "pair",  # ours and the peer's
    [
        (batch_all, BatchAllTripletLoss),
        (batch_hard, BatchHardTripletLoss),
        (batch_semi_hard, BatchSemiHardTripletLoss),
    ],
)


@pytest.fixture
def hold_to_peer(embeddings_only, peer_loss, assert_same):
    """A loss of ours has the value and the gradients of the peer's of that class."""

    def hold_to_peer(ours, peer, rows, target, **options):
        assert_same(ours, peer_loss(peer(embeddings_only, **options), rows, target), rows)

    return hold_to_peer


@each_loss
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("margin", "distance"), list(itertools.product([5.0, 0.3], THEIRS)))
@pytest.mark.parametrize("labels", list(LABELS.values()), ids=list(LABELS))
def test_value_and_gradients_are_the_peers(
    pair, seed, margin, distance, labels, draw_embeddings, hold_to_peer
):
    rows, target = draw_embeddings(9, seed=seed), torch.tensor(labels)
    loss, peer = pair
    ours = loss(*rows, target, margin=margin, distance=distance)
    hold_to_peer(ours, peer, rows, target, distance_metric=THEIRS[distance], margin=margin)


@each_loss
def test_satisfied_triplets_cost_nothing(pair, hold_to_peer):
    rows = [torch.tensor([[0.0, 0.0], [0.1, 0.0], [9.0, 9.0], [9.0, 9.1]], requires_grad=True)]
    target = torch.tensor([0, 0, 1, 1])
    loss, peer = pair
    ours = loss(*rows, target, margin=1.0)
    assert ours.item() == 0
    hold_to_peer(ours, peer, rows, target, margin=1.0)


def test_rows_are_positives_of_others_with_their_label_and_negatives_of_the_rest():
    same, other = relate_labels(torch.tensor([7, 7, 3]), loss="batch_all")
    assert same.tolist() == [[False, True, False], [True, False, False], [False] * 3]
    assert other.tolist() == [[False, False, True], [False, False, True], [True, True, False]]


@pytest.mark.parametrize("labels", [[], [0], [0, 0, 0], [0, 1, 2]])
def test_labels_without_a_triplet_are_refused_in_the_name_of_the_loss(labels):
    with pytest.raises(ValueError, match=r"^batch_hard needs a label with two rows"):
        relate_labels(torch.tensor(labels), loss="batch_hard")


def test_the_hardest_are_the_farthest_positive_and_the_nearest_negative():
    line = torch.tensor([[0.0], [1.0], [4.0], [6.0], [9.0]])
    labels = torch.tensor([0, 0, 0, 1, 1])
    positive, negative = find_hardest(line, labels, distance="euclidean", loss="batch_hard")
    assert positive.tolist() == [4, 3, 4, 3, 3]
    assert negative.tolist() == [6, 5, 2, 2, 5]
