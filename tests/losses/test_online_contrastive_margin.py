import pytest
import torch
from sentence_transformers.sentence_transformer.losses import OnlineContrastiveLoss
from sentence_transformers.sentence_transformer.losses.contrastive import SiameseDistanceMetric

from likewise.losses import online_contrastive

THEIRS = {
    "cosine": SiameseDistanceMetric.COSINE_DISTANCE,
    "euclidean": SiameseDistanceMetric.EUCLIDEAN,
    "manhattan": SiameseDistanceMetric.MANHATTAN,
}
LABELS = {"both": [0, 1, 1, 0, 1, 0, 0, 1], "same": [1] * 8, "different": [0] * 8}


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(
    ("distance", "margin"), [("cosine", 1.2), ("euclidean", 4.0), ("manhattan", 7.0)]
)
@pytest.mark.parametrize("labels", LABELS)
def test_value_and_gradients_are_the_peers(
    seed, distance, margin, labels, draw_embeddings, embeddings_only, peer_loss, assert_same
):
    pair = draw_embeddings(8, 8, seed=seed)
    target = torch.tensor(LABELS[labels])
    ours = online_contrastive(*pair, target, distance=distance, margin=margin)
    peer = OnlineContrastiveLoss(embeddings_only, distance_metric=THEIRS[distance], margin=margin)
    assert ours > 0
    assert_same(ours, peer_loss(peer, pair, target), pair)


def on_a_line(*distances):
    return torch.zeros(len(distances), 1), torch.tensor([[float(d)] for d in distances])


def test_only_hard_pairs_count():
    u, v = on_a_line(1, 3, 2, 6)  # equal: 1 and 3; different: 2 and 6
    labels = torch.tensor([1, 1, 0, 0])
    loss = online_contrastive(u, v, labels, distance="euclidean", margin=5.0)
    assert loss.item() == 3**2 + (5 - 2) ** 2  # 1 is nearer than 2, and 6 farther than 3


def test_a_batch_without_a_hard_pair_costs_nothing():
    u, v = on_a_line(1, 2, 3, 4)
    v.requires_grad_()
    loss = online_contrastive(u, v, torch.tensor([1, 1, 0, 0]), distance="euclidean", margin=9.0)
    assert loss.item() == 0
    loss.backward()
    assert not v.grad.any()


def test_graded_scores_are_no_labels():
    with pytest.raises(ValueError, match="online_contrastive needs labels of 0 and 1"):
        online_contrastive(torch.eye(2), torch.eye(2), torch.tensor([1, 0.5]))
