import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likewise.training.sampling import TOGETHER, Groups, Sampling

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


def grouped(labels: list[int], batch_size: int, *, seed: int = 0) -> Sampling:
    groups = Groups(np.array(labels))
    return Sampling(n_rows=len(labels), batch_size=batch_size, seed=seed, smallest=2, groups=groups)


def counts(labels: list[int], rows: np.ndarray) -> list[int]:
    """Rows of each label that is there at all."""
    return np.unique(np.array(labels)[rows], return_counts=True)[1].tolist()


some_labels = st.lists(st.integers(0, 12), min_size=1, max_size=150)
batch_sizes = st.integers(2, 40)
of_two_rows_each = st.lists(st.integers(2, 11), min_size=1, max_size=20).map(
    lambda sizes: [label for label, size in enumerate(sizes) for _ in range(size)]
)


@given(some_labels, batch_sizes, st.integers(0, 3), st.integers(0, 2**32))
def test_grouped_every_row_comes_once_an_epoch(labels, batch_size: int, number: int, seed: int):
    rows = np.concatenate(epoch(grouped(labels, batch_size, seed=seed), number))
    assert sorted(rows) == list(range(len(labels)))


@given(some_labels, batch_sizes)
def test_grouping_changes_no_size(labels, batch_size: int):
    found = grouped(labels, batch_size)
    plain = Sampling(n_rows=len(labels), batch_size=batch_size, seed=0, smallest=2)
    assert [len(rows) for rows in epoch(found)] == [len(rows) for rows in epoch(plain)]
    assert found.steps_per_epoch == plain.steps_per_epoch


@given(of_two_rows_each, st.integers(8, 40), st.integers(0, 3), st.integers(0, 2**32))
def test_a_batch_has_a_pair_of_one_label_where_labels_have_two_rows(
    labels, batch_size: int, number: int, seed: int
):
    for rows in epoch(grouped(labels, batch_size, seed=seed), number):
        assert len(rows) < 3 or max(counts(labels, rows)) >= 2


@given(st.sampled_from([2, 4, 6, 10]), st.integers(1, 6), st.integers(0, 5), st.integers(0, 2**32))
def test_no_batch_of_even_classes_has_one_label_alone(
    classes: int, few: int, number: int, seed: int
):
    """A batch of two few, out of a part of the epoch in which every class has one."""
    labels = [i % classes for i in range(classes * few * TOGETHER)]
    for rows in epoch(grouped(labels, 2 * TOGETHER, seed=seed), number):
        assert counts(labels, rows) == [TOGETHER, TOGETHER]


@given(st.integers(0, 2**32))
def test_a_small_batch_has_fewer_of_each_label(seed: int):
    labels = [i % 6 for i in range(48)]
    for rows in epoch(grouped(labels, 4, seed=seed)):
        assert counts(labels, rows) == [2, 2]


@given(st.integers(0, 2**32))
def test_a_rare_label_does_not_come_all_at_once(seed: int):
    labels = [int(i % 8 == 0) for i in range(512)]  # 64 of one, 448 of the other
    rare = [sum(labels[i] for i in rows) for rows in epoch(grouped(labels, 64, seed=seed))]
    assert max(rare) <= 16  # 8 on average; the parts of two fours may touch on either side
    assert sum(count > 0 for count in rare) == len(rare)


def test_rows_of_a_label_meet_others_of_it_each_epoch():
    labels = [i % 4 for i in range(64)]
    sampling = grouped(labels, 8)
    partners = [
        tuple(sorted(i for i in rows if labels[i] == 0 and i != 0))
        for number in range(6)
        for rows in epoch(sampling, number)
        if 0 in rows
    ]
    assert len(set(partners)) == len(partners) == 6


@given(some_labels, batch_sizes, st.integers(0, 200), st.integers(0, 2**32))
def test_a_grouped_batch_depends_on_seed_and_step_alone(
    labels, batch_size: int, step: int, seed: int
):
    first = grouped(labels, batch_size, seed=seed)
    expected = first.rows(step).copy()
    first.rows(step + 7 * first.steps_per_epoch)
    assert np.array_equal(grouped(labels, batch_size, seed=seed).rows(step), expected)


def test_each_epoch_and_each_seed_has_its_own_groups():
    labels = [i // 3 for i in range(60)]
    sampling, other = (grouped(labels, 12, seed=seed) for seed in (1, 2))
    orders = [np.concatenate(epoch(sampling, i)).tolist() for i in range(3)]
    orders.append(np.concatenate(epoch(other)).tolist())
    assert len({tuple(order) for order in orders}) == 4
