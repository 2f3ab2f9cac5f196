import pytest
import torch
from sentence_transformers.sentence_transformer.losses import ContrastiveLoss
from sentence_transformers.sentence_transformer.losses.contrastive import SiameseDistanceMetric

from likewise.losses import contrastive
from likewise.losses.contrastive_margin import check_labels

THEIRS = {
    "cosine": SiameseDistanceMetric.COSINE_DISTANCE,
    "euclidean": SiameseDistanceMetric.EUCLIDEAN,
    "manhattan": SiameseDistanceMetric.MANHATTAN,
}
LABELS = {"both": [0, 1, 1, 0, 1, 0, 0, 1], "same": [1] * 8, "different": [0] * 8}


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(
    ("distance", "margin"), [("cosine", 0.5), ("euclidean", 4.0), ("manhattan", 7.0)]
)
@pytest.mark.parametrize("labels", LABELS)
def test_value_and_gradients_are_the_peers(
    seed, distance, margin, labels, draw_embeddings, embeddings_only, peer_loss, assert_same
):
    pair = draw_embeddings(8, 8, seed=seed)
    target = torch.tensor(LABELS[labels])
    ours = contrastive(*pair, target, distance=distance, margin=margin)
    peer = ContrastiveLoss(embeddings_only, distance_metric=THEIRS[distance], margin=margin)
    assert_same(ours, peer_loss(peer, pair, target), pair)


def test_a_pair_that_differs_costs_nothing_beyond_the_margin():
    u, v = torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0]])
    cost = [
        contrastive(u, v, torch.tensor([0]), distance="euclidean", margin=margin).item()
        for margin in (4.0, 5.0, 7.0)
    ]
    assert cost == [0.0, 0.0, (7 - 5) ** 2 / 2]


@pytest.mark.parametrize("bad", [0.6, 2, -1])
def test_graded_scores_are_no_labels(bad):
    with pytest.raises(ValueError, match="contrastive needs labels of 0 and 1"):
        contrastive(torch.eye(2), torch.eye(2), torch.tensor([1, bad]))


def test_labels_may_be_of_any_type():
    for labels in (torch.tensor([0, 1]), torch.tensor([0.0, 1.0]), torch.tensor([False, True])):
        check_labels(labels, loss="contrastive")
        loss = contrastive(torch.eye(2), torch.eye(2), labels)
        assert loss.item() == pytest.approx(0.5**2 / 2 / 2)
