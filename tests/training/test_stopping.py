import os
import signal
import threading

import pytest

from likewise.training.stopping import stop_asked

BOTH = (signal.SIGINT, signal.SIGTERM)


@pytest.mark.parametrize("number", BOTH)
def test_a_signal_is_a_question_and_handlers_come_back(number: signal.Signals):
    before = [signal.getsignal(each) for each in BOTH]
    with stop_asked() as stopped:
        assert not stopped()
        os.kill(os.getpid(), number)
        assert stopped()
    assert [signal.getsignal(each) for each in BOTH] == before


def test_the_second_ctrl_c_interrupts_at_once():
    with pytest.raises(KeyboardInterrupt), stop_asked() as stopped:  # noqa: PT012 - both are one story
        os.kill(os.getpid(), signal.SIGINT)
        assert stopped()
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_each_signal_is_passed_on():
    calls: list[int] = []
    with stop_asked(lambda: calls.append(1)) as stopped:
        for number in (*BOTH, *BOTH):
            os.kill(os.getpid(), number)
        assert stopped()
    assert len(calls) == 4


def test_off_the_main_thread_signals_are_left_alone():
    found: list[object] = []

    def work() -> None:
        with stop_asked() as stopped:
            found.extend([stopped(), signal.getsignal(signal.SIGINT)])

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False, before]
