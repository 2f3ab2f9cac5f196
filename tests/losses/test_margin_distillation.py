import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers.sentence_transformer.losses import MarginMSELoss
from sentence_transformers.util import pairwise_cos_sim, pairwise_dot_score

from likewise.losses import margin_mse
from likewise.losses.margin_distillation import check_scores

THEIRS = {"dot": pairwise_dot_score, "cosine": pairwise_cos_sim}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("n_negatives", [1, 4])
@pytest.mark.parametrize("similarity", THEIRS)
def test_value_and_gradients_are_the_peers(
    seed, n_negatives, similarity, draw_embeddings, embeddings_only, peer_loss, assert_same
):
    anchors, *columns = draw_embeddings(*[8] * (2 + n_negatives), seed=seed)
    draw = torch.Generator().manual_seed(seed)
    scores = 10 * torch.randn(8, 1 + n_negatives, generator=draw)
    ours = margin_mse(anchors, torch.stack(columns, dim=1), scores, similarity=similarity)
    peer = MarginMSELoss(embeddings_only, similarity_fct=THEIRS[similarity])
    assert_same(ours, peer_loss(peer, [anchors, *columns], scores), [anchors, *columns])


@settings(deadline=None)
@given(st.floats(-100, 100))
def test_only_differences_of_the_teacher_count(offset):
    draw = torch.Generator().manual_seed(0)
    anchors = torch.randn(4, 5, generator=draw, dtype=torch.float64)
    candidates = torch.randn(4, 3, 5, generator=draw, dtype=torch.float64)
    scores = torch.rand(4, 3, generator=draw, dtype=torch.float64)
    shifted = margin_mse(anchors, candidates, scores + offset)
    torch.testing.assert_close(shifted, margin_mse(anchors, candidates, scores))


@pytest.mark.parametrize("shape", [(4, 1), (4, 2), (4,), (3, 3)])
def test_scores_that_are_not_one_a_candidate_are_refused(shape):
    with pytest.raises(ValueError, match=r"one score a candidate: expected \[4, 3\]"):
        margin_mse(torch.ones(4, 2), torch.ones(4, 3, 2), torch.ones(shape))


def test_a_positive_without_a_negative_is_refused():
    with pytest.raises(ValueError, match="kl needs an anchor with two candidates or more"):
        check_scores(torch.ones(4, 1, 2), torch.ones(4, 1), loss="kl")
