import numpy as np
import pytest
import torch
from sentence_transformers.util import similarity as peer

from likewise.models.folder.contents import SIMILARITIES
from likewise.models.similarity import similarity, similarity_by_pair, unit

DRAW = np.random.default_rng(0)
LEFT = DRAW.normal(size=(5, 7)).astype(np.float32)
RIGHT = DRAW.normal(size=(5, 7)).astype(np.float32)
PEER = {
    "cosine": (peer.cos_sim, peer.pairwise_cos_sim),
    "dot": (peer.dot_score, peer.pairwise_dot_score),
    "euclidean": (peer.euclidean_sim, peer.pairwise_euclidean_sim),
    "manhattan": (peer.manhattan_sim, peer.pairwise_manhattan_sim),
}
each_kind = pytest.mark.parametrize("kind", SIMILARITIES)


@each_kind
def test_all_to_all_equals_the_peer_s(kind):
    found = similarity(LEFT, RIGHT[:3], kind=kind)
    assert found.dtype == np.float32
    expected = PEER[kind][0](torch.from_numpy(LEFT), torch.from_numpy(RIGHT[:3]))
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)


@each_kind
def test_by_pair_equals_the_peer_s_and_the_diagonal(kind):
    found = similarity_by_pair(LEFT, RIGHT, kind=kind)
    assert found.dtype == np.float32
    expected = PEER[kind][1](torch.from_numpy(LEFT), torch.from_numpy(RIGHT))
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)
    np.testing.assert_allclose(found, similarity(LEFT, RIGHT, kind=kind).diagonal(), atol=1e-5)


@each_kind
def test_nothing_is_more_alike_than_a_unit_vector_to_itself(kind):
    vectors = unit(LEFT)
    found = similarity(vectors, vectors, kind=kind)
    assert (found.argmax(axis=1) == np.arange(5)).all()


def test_a_zero_vector_stays_zero():
    assert not unit(np.zeros((1, 3), dtype=np.float32)).any()
