"""The same batches, made ahead of time or not."""

import threading

import numpy as np
import pytest
import torch

from likewise.models.encoder import Encoder
from likewise.text.packed import pack
from likewise.training.batch import Batch, collate
from likewise.training.examples import build_examples
from likewise.training.prefetch import Batches
from training.small_runs import pairs


def make(step: int) -> Batch:
    ids = np.random.default_rng(step).integers(0, 99, size=5)
    return Batch(
        packed=pack([ids]),
        rows=np.array([step]),
        texts=np.array([step]),
        picks={},
        values={},
        step=step,
    )


class Watched:
    """Makes batches, and remembers of which steps and in which thread."""

    def __init__(self, fails_at: int = -1) -> None:
        self.made: list[int] = []
        self.threads: list[str] = []
        self.fails_at = fails_at

    def __call__(self, step: int) -> Batch:
        self.made.append(step)
        self.threads.append(threading.current_thread().name)
        if step == self.fails_at:
            raise ValueError(f"no batch {step}")
        return make(step)


@pytest.mark.parametrize("ahead", [True, False])
@pytest.mark.parametrize("first", [0, 7])
def test_every_step_has_its_own_batch_however_it_is_made(ahead: bool, first: int):
    watched = Watched()
    batches = Batches(watched, ahead=ahead, last=first + 5)
    for step in range(first, first + 5):
        with batches.at(step) as batch:
            assert batch.step == step
            assert torch.equal(batch.packed.ids, make(step).packed.ids)
    assert watched.made == list(range(first, first + 5))


def test_the_next_batch_is_made_by_another_thread_within_the_step():
    begun, watched = threading.Event(), Watched()

    def slowly(step: int) -> Batch:
        if step == 1:
            assert begun.wait(timeout=10)
        return watched(step)

    batches = Batches(slowly, ahead=True)
    with batches.at(0):
        begun.set()  # it is made while this step is still on
    assert watched.made == [0, 1]
    assert watched.threads[0] == threading.main_thread().name != watched.threads[1]


def test_nothing_is_made_ahead_where_that_is_not_asked():
    watched = Watched()
    with Batches(watched, ahead=False).at(0):
        assert watched.made == [0]
    assert watched.made == [0]


def test_an_error_belongs_to_the_step_whose_batch_it_is():
    batches = Batches(Watched(fails_at=1), ahead=True)
    with batches.at(0) as batch:
        assert batch.step == 0
    with pytest.raises(ValueError, match="no batch 1"), batches.at(1):
        pass


def test_a_step_out_of_order_gets_its_own_batch():
    batches = Batches(make, ahead=True)
    with batches.at(0):
        pass
    with batches.at(5) as batch:
        assert batch.step == 5


def test_after_the_last_step_nothing_is_made():
    watched = Watched()
    with Batches(watched, ahead=True, last=1).at(0):
        pass
    assert watched.made == [0]


def test_real_batches_made_ahead_are_the_same(tiny_encoder: Encoder):
    examples = build_examples(tiny_encoder, pairs(24))

    def real(step: int) -> Batch:
        rows = np.arange(4 * step, 4 * step + 4)
        return collate(examples, rows, layout="contrast", device=tiny_encoder.device, step=step)

    batches = Batches(real, ahead=True, last=6)
    for step in range(6):
        with batches.at(step) as batch:
            plain = real(step)
            assert torch.equal(batch.packed.ids, plain.packed.ids)
            assert torch.equal(batch.packed.starts, plain.packed.starts)
            assert batch.picks.keys() == plain.picks.keys()
            assert all(torch.equal(batch.picks[role], plain.picks[role]) for role in plain.picks)
