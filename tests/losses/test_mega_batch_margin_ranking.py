import pytest
import torch
from sentence_transformers.sentence_transformer.losses import MegaBatchMarginLoss

from likewise.losses import mega_batch_margin

unit = torch.nn.functional.normalize


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("margins", [(0.8, 0.3), (0.5, -0.5), (0.0, 0.9)])
def test_value_and_gradients_are_the_peers(
    seed, margins, draw_embeddings, embeddings_only, peer_loss, assert_same
):
    """Its plain version: the one in parts used to drop all gradients but those of its last part."""
    pair = draw_embeddings(8, 8, seed=seed)
    positive, negative = margins
    ours = mega_batch_margin(*pair, positive_margin=positive, negative_margin=negative)
    peer = MegaBatchMarginLoss(embeddings_only, positive, negative, use_mini_batched_version=False)
    assert_same(ours, peer_loss(peer, pair, None), pair)


def test_all_rows_of_a_large_batch_get_their_gradients(draw_embeddings, assert_same):
    """More rows than the peer has in a part (50), against the plain formula row by row."""
    anchors, positives, negatives = draw_embeddings(130, 130, 9)
    candidates = unit(torch.cat([positives, negatives]))
    rows = []
    for i, anchor in enumerate(unit(anchors)):
        cosines = candidates @ anchor
        others = torch.cat([cosines[:i], cosines[i + 1 :]])
        rows.append(torch.relu(0.8 - cosines[i]) + torch.relu(others.max() - 0.3))
    expected = torch.stack(rows).mean()
    ours = mega_batch_margin(anchors, positives, negatives)
    assert_same(ours, expected, [anchors, positives, negatives])
    (gradient,) = torch.autograd.grad(mega_batch_margin(anchors, positives, negatives), [anchors])
    assert gradient.any(dim=1).all()


def test_the_hardest_negative_is_never_one_that_collides():
    anchors = torch.eye(3)
    positives = torch.eye(3)
    near = torch.eye(3)[:1]  # equal to the first anchor and its positive
    collides = torch.tensor([[False, False, False, True]] + [[False] * 4] * 2)
    assert mega_batch_margin(anchors, positives, near).item() == pytest.approx((1 - 0.3) / 3)
    assert mega_batch_margin(anchors, positives, near, collides).item() == 0


def test_an_anchor_without_negatives_is_only_drawn_to_its_positive():
    anchors, positives = torch.eye(2), torch.eye(2).flip(0)
    collides = torch.tensor([[False, True], [False, False]])
    alone, other = 0.8 - 0, (0.8 - 0) + (1 - 0.3)
    loss = mega_batch_margin(anchors, positives, None, collides)
    assert loss.item() == pytest.approx((alone + other) / 2)
