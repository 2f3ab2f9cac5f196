"""The next batch is made while the device computes on this one."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from likewise.training.batch import Batch


class Batches:
    """The batches of a run, one after the other: the same ones, made ahead of time or not.

    Nothing is made outside the step before it, so that evaluating and saving have the model, its
    tokenizer and its data to themselves.
    """

    def __init__(
        self, make: Callable[[int], Batch], *, ahead: bool, last: int | None = None
    ) -> None:
        """Make none yet.

        Args:
            make: from a step, from 0, to its batch; the same one each time it is asked.
            ahead: whether a thread makes the next one during a step. This pays where the step
                runs on another device; on a CPU it would take the step's own cores.
            last: steps of the run; None where the clock decides.
        """
        self._make = make
        self._ahead = ahead
        self._last = last
        self._next: tuple[int, Future[Batch]] | None = None

    @contextmanager
    def at(self, step: int) -> Iterator[Batch]:
        """The batch of a step, for the time of the step.

        An error in making a batch is raised when its own step asks for it.

        Args:
            step: from 0.
        """
        batch = self._take(step)
        if not self._ahead or step + 1 == self._last:
            yield batch
            return
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="next-batch") as thread:
            self._next = (step + 1, thread.submit(self._make, step + 1))
            yield batch

    def _take(self, step: int) -> Batch:
        made, self._next = self._next, None
        if made is not None and made[0] == step:
            return made[1].result()
        return self._make(step)
