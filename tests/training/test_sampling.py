import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likewise.training.sampling import Sampling

samplings = st.builds(
    Sampling,
    n_rows=st.integers(1, 200),
    batch_size=st.integers(1, 64),
    seed=st.integers(0, 2**32),
    smallest=st.integers(1, 2),
)


def epoch(sampling: Sampling, number: int = 0) -> list[np.ndarray]:
    n = sampling.steps_per_epoch
    return [sampling.rows(step) for step in range(number * n, (number + 1) * n)]


@given(samplings, st.integers(0, 5))
def test_every_row_comes_once_an_epoch(sampling: Sampling, number: int):
    rows = np.concatenate(epoch(sampling, number))
    assert sorted(rows) == list(range(sampling.n_rows))


@given(samplings)
def test_all_batches_are_full_but_the_last(sampling: Sampling):
    *full, last = (len(rows) for rows in epoch(sampling))
    assert set(full) <= {sampling.batch_size}
    assert last < sampling.batch_size + sampling.smallest


@given(samplings)
def test_no_batch_is_smaller_than_the_smallest(sampling: Sampling):
    least = min(sampling.smallest, sampling.n_rows, sampling.batch_size)
    assert all(len(rows) >= least for rows in epoch(sampling))


@given(samplings, st.integers(0, 400))
def test_a_batch_depends_on_seed_and_step_alone(sampling: Sampling, step: int):
    first = sampling.rows(step).copy()
    for other in (0, 3 * sampling.steps_per_epoch, 7 * sampling.steps_per_epoch):
        sampling.rows(other)  # so that nothing remembered can serve
    twin = Sampling(
        n_rows=sampling.n_rows,
        batch_size=sampling.batch_size,
        seed=sampling.seed,
        smallest=sampling.smallest,
    )
    assert np.array_equal(twin.rows(step), first)


def test_each_epoch_and_each_seed_has_its_own_order():
    sampling, other = (Sampling(n_rows=50, batch_size=10, seed=seed) for seed in (1, 2))
    orders = [np.concatenate(epoch(sampling, i)).tolist() for i in range(3)]
    orders.append(np.concatenate(epoch(other)).tolist())
    assert len({tuple(order) for order in orders}) == 4


@pytest.mark.parametrize(
    ("n_rows", "batch_size", "smallest", "expected"),
    [(10, 5, 1, 2), (11, 5, 1, 3), (11, 5, 2, 2), (12, 5, 2, 3), (3, 5, 2, 1), (1, 5, 2, 1)],
)
def test_an_epoch_has_an_exact_number_of_steps(n_rows, batch_size, smallest, expected):
    sampling = Sampling(n_rows=n_rows, batch_size=batch_size, seed=0, smallest=smallest)
    assert sampling.steps_per_epoch == expected


def test_epochs_may_be_a_fraction():
    sampling = Sampling(n_rows=100, batch_size=10, seed=0)
    assert [sampling.steps(epochs) for epochs in (0.001, 0.3, 0.31, 1, 2.5)] == [1, 3, 4, 10, 25]
