import math

import pytest
import torch
from sentence_transformers.sentence_transformer.losses import (
    BatchHardSoftMarginTripletLoss,
    BatchHardTripletLossDistanceFunction,
)

from likewise.losses import batch_hard_soft

THEIRS = {
    "euclidean": BatchHardTripletLossDistanceFunction.euclidean_distance,
    "cosine": BatchHardTripletLossDistanceFunction.cosine_distance,
}
LABELS = {"even": [0, 0, 1, 1, 2, 2, 0, 1, 2], "uneven": [0, 0, 0, 0, 0, 0, 1, 1, 2]}


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("distance", THEIRS)
@pytest.mark.parametrize("labels", LABELS)
def test_value_and_gradients_are_the_peers(
    seed, distance, labels, draw_embeddings, embeddings_only, peer_loss, assert_same
):
    rows, target = draw_embeddings(9, seed=seed), torch.tensor(LABELS[labels])
    peer = BatchHardSoftMarginTripletLoss(embeddings_only, distance_metric=THEIRS[distance])
    ours = batch_hard_soft(*rows, target, distance=distance)
    assert_same(ours, peer_loss(peer, rows, target), rows)


def test_it_is_the_softplus_of_each_rows_hardest_triplet():
    line = torch.tensor([[0.0], [1.0], [4.0], [6.0], [9.0]])
    gaps = (4 - 6, 3 - 5, 4 - 2, 3 - 2, 3 - 5)  # farthest positive less nearest negative
    loss = batch_hard_soft(line, torch.tensor([0, 0, 0, 1, 1])).item()
    assert loss == pytest.approx(sum(math.log1p(math.exp(gap)) for gap in gaps) / 5)
