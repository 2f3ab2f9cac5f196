import pytest
import torch
from sentence_transformers.sentence_transformer.losses import EmbedDistillLoss, MSELoss

from likewise.losses import mse


@pytest.mark.parametrize("seed", [0, 1])
def test_value_and_gradients_are_the_peers(
    seed, draw_embeddings, embeddings_only, peer_loss, assert_same
):
    student, teacher = draw_embeddings(8, 8, seed=seed)
    theirs = peer_loss(MSELoss(embeddings_only), [student], teacher)
    assert_same(mse(student, teacher), theirs, [student])


@pytest.mark.parametrize("distance", ["mse", "l2", "cosine"])
def test_every_distance_is_the_peers(
    distance, draw_embeddings, embeddings_only, peer_loss, assert_same
):
    student, teacher = draw_embeddings(8, 8)
    peer = EmbedDistillLoss(embeddings_only, distance_metric=distance)
    ours = mse(student, teacher, distance=distance)
    assert_same(ours, peer_loss(peer, [student], teacher), [student])


@pytest.mark.parametrize("distance", ["mse", "l2", "cosine"])
def test_a_student_that_is_its_teacher_is_done(distance, draw_embeddings):
    (student,) = draw_embeddings(4)
    loss = mse(student, student.detach(), distance=distance)
    loss.backward()
    torch.testing.assert_close(loss.detach(), torch.tensor(0.0))
    torch.testing.assert_close(student.grad, torch.zeros(4, 6))


def test_a_teacher_of_another_width_is_refused():
    with pytest.raises(
        ValueError, match=r"of the student's width: expected \[2, 4\], found \[2, 6"
    ):
        mse(torch.ones(2, 4), torch.ones(2, 6))
