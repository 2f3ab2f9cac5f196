"""Ctrl-C and SIGTERM as a question that long work asks, not as an end in the middle of it."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def stop_asked(pass_on: Callable[[], None] | None = None) -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C and SIGTERM into a question: whether there was one.

    The second of the same kind does what it did before, so that a hurried user gets away. Off the
    main thread signals are left alone.

    Args:
        pass_on: called at each signal, for work that goes on elsewhere; with it the second does no
            more than the first.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return

    def stop(number: int, _: object) -> None:
        asked.set()
        if pass_on is None:
            signal.signal(number, before[signal.Signals(number)])
        else:
            pass_on()

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, stop)
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
