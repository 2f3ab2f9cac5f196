import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist, pdist, squareform

from likewise.losses.distances import measure_all, measure_pairs

SCIPY = {"cosine": "cosine", "euclidean": "euclidean", "manhattan": "cityblock"}
seeds = st.integers(0, 1000)


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("distance", SCIPY)
@settings(deadline=None)
@given(seed=seeds)
def test_they_are_scipys(distance, seed):
    u, v = draw(2, 7, 4, seed=seed)
    by_pair = torch.from_numpy(cdist(u, v, SCIPY[distance])).diagonal()
    torch.testing.assert_close(measure_pairs(u, v, distance), by_pair)
    every = torch.from_numpy(squareform(pdist(u, SCIPY[distance])))
    torch.testing.assert_close(measure_all(u, distance), every)


@pytest.mark.parametrize("distance", SCIPY)
def test_equal_rows_are_at_zero_with_a_gradient_of_zero(distance):
    rows = torch.ones(3, 4, requires_grad=True)
    for distances in (measure_pairs(rows, rows.detach(), distance), measure_all(rows, distance)):
        torch.testing.assert_close(distances, torch.zeros_like(distances), atol=1e-6, rtol=0)
        (gradient,) = torch.autograd.grad(distances.sum(), rows)
        torch.testing.assert_close(gradient, torch.zeros(3, 4), atol=1e-6, rtol=0)


def test_a_small_distance_of_long_rows_keeps_its_digits():
    """By dot products, 1e6 * 1e6 - 1e12 in float32 would leave nothing of it."""
    rows = torch.tensor([[1e4, 0.0], [1e4, 0.5]]).repeat(20, 1)
    assert measure_all(rows, "euclidean")[0, 1].item() == 0.5


@pytest.mark.parametrize("measure", [measure_all, lambda u, d: measure_pairs(u, u, d)])
def test_an_unknown_distance_is_refused_with_those_there_are(measure):
    with pytest.raises(ValueError, match='no distance "angular"; one of: cosine, euclidean'):
        measure(torch.eye(2), "angular")
