import math

import pytest
import torch
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

from likewise.losses import improved_contrastive, mnr

FORWARD, BACKWARD = ("query_to_doc",), ("doc_to_query",)
SAME_SIDE = ("query_to_query", "doc_to_doc")
unit = torch.nn.functional.normalize


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("scale", [20.0, 1.0])
@pytest.mark.parametrize("backward", [True, False])
@pytest.mark.parametrize("same_side", [True, False])
def test_value_and_gradients_are_the_peers(
    seed, scale, backward, same_side, draw_embeddings, embeddings_only, peer_loss, assert_same
):
    pair = draw_embeddings(8, 8, seed=seed)
    ours = improved_contrastive(*pair, scale=scale, backward=backward, same_side=same_side)
    directions = FORWARD + BACKWARD * backward + SAME_SIDE * same_side
    peer = MultipleNegativesRankingLoss(embeddings_only, scale=scale, directions=directions)
    assert_same(ours, peer_loss(peer, pair, None), pair)


@pytest.mark.parametrize("backward", [True, False])
def test_hard_negatives_are_the_peers_where_documents_are_not_compared(
    backward, draw_embeddings, embeddings_only, peer_loss, assert_same
):
    """Among documents the peer also pushes a positive from the negatives of other rows."""
    rows = draw_embeddings(8, 8, 8, 8)
    ours = improved_contrastive(*rows[:2], torch.cat(rows[2:]), backward=backward, same_side=False)
    directions = FORWARD + BACKWARD * backward
    peer = MultipleNegativesRankingLoss(embeddings_only, directions=directions)
    assert_same(ours, peer_loss(peer, rows, None), rows)


def test_it_is_the_papers_formula_with_negatives_as_documents_of_the_anchors(draw_embeddings):
    anchors, positives, negatives = (row.detach() for row in draw_embeddings(3, 3, 4))
    q, d, n = (unit(row) for row in (anchors, positives, negatives))

    def e(a, b):
        return math.exp(5 * float(a @ b))

    total = 0.0
    for i in range(3):
        z = sum(e(q[i], c) for c in (*d, *n)) + sum(e(q[j], d[i]) for j in range(3))
        z += sum(e(q[i], q[j]) + e(d[i], d[j]) for j in range(3) if j != i)
        total -= math.log(e(q[i], d[i]) / z)
    loss = improved_contrastive(anchors, positives, negatives, scale=5.0)
    assert loss.item() == pytest.approx(total / 3, rel=1e-5)


def test_one_direction_is_mnr(draw_embeddings, assert_same):
    rows = draw_embeddings(5, 5, 3)
    collides = torch.rand(5, 8, generator=torch.Generator().manual_seed(0)) < 0.3
    ours = improved_contrastive(*rows, collides, backward=False, same_side=False)
    assert_same(ours, mnr(*rows, collides), rows)


def test_equal_cosines_cost_the_log_of_all_terms():
    same = torch.ones(4, 3)
    loss = improved_contrastive(same, same, torch.ones(5, 3)).item()
    assert loss == pytest.approx(math.log(4 * 4 + 5 - 2))


def test_what_collides_one_way_is_masked_on_both_sides(draw_embeddings):
    """The second positive also answers the first anchor: their texts are no negatives."""
    anchors, positives = (row.detach() for row in draw_embeddings(2, 2))
    collides = torch.tensor([[False, True], [False, False]])
    exp = (20 * unit(anchors) @ unit(positives).T).exp()
    first = exp[0, 0] / (exp[0, 0] + exp[0, 0] + exp[1, 0])
    second = exp[1, 1] / (exp[1, 0] + exp[1, 1] + exp[1, 1])
    loss = improved_contrastive(anchors, positives, None, collides)
    torch.testing.assert_close(loss, -(first.log() + second.log()) / 2)
