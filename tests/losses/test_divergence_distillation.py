import pytest
import torch
from sentence_transformers.sentence_transformer.losses import DistillKLDivLoss
from sentence_transformers.util import pairwise_cos_sim, pairwise_dot_score

from likewise.losses import kl

THEIRS = {"dot": pairwise_dot_score, "cosine": pairwise_cos_sim}


@pytest.mark.parametrize("n_negatives", [1, 4])
@pytest.mark.parametrize("similarity", THEIRS)
@pytest.mark.parametrize("temperatures", [(1.0, None), (0.5, None), (2.0, 3.0)])
def test_value_and_gradients_are_the_peers(
    n_negatives, similarity, temperatures, draw_embeddings, embeddings_only, peer_loss, assert_same
):
    anchors, *columns = draw_embeddings(*[8] * (2 + n_negatives))
    scores = torch.randn(8, 1 + n_negatives, generator=torch.Generator().manual_seed(0))
    student, teacher = temperatures
    ours = kl(
        anchors,
        torch.stack(columns, dim=1),
        scores,
        temperature=student,
        teacher_temperature=teacher,
        similarity=similarity,
    )
    peer = DistillKLDivLoss(
        embeddings_only,
        similarity_fct=THEIRS[similarity],
        temperature=student,
        teacher_temperature=teacher,
    )
    assert_same(ours, peer_loss(peer, [anchors, *columns], scores), [anchors, *columns])


def test_it_is_the_divergence_of_two_distributions():
    anchors, candidates = torch.tensor([[1.0]]), torch.tensor([[[0.0], [1.0]]])
    scores = torch.tensor([[2.0, 0.0]])
    p, q = scores[0].softmax(0), torch.tensor([0.0, 1.0]).softmax(0)
    torch.testing.assert_close(kl(anchors, candidates, scores), (p * (p / q).log()).sum())


@pytest.mark.parametrize("bad", [{"temperature": 0.0}, {"teacher_temperature": -1.0}])
def test_a_temperature_that_is_not_above_zero_is_refused(bad):
    with pytest.raises(ValueError, match="kl needs temperatures above 0"):
        kl(torch.ones(2, 2), torch.ones(2, 3, 2), torch.ones(2, 3), **bad)
