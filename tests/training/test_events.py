import dataclasses

import pytest

from likewise.training.events import Evaluated, Observer, Saved, StepDone

EVENTS = (
    StepDone(
        step=1,
        loss=0.5,
        rate=1e-4,
        gradient_norm=1.0,
        rows=2,
        texts=4,
        tokens=20,
        masked=0,
        seconds=0.1,
    ),
    Evaluated(step=1, metric="spearman", value=0.5, low=0.4, high=0.6),
    Saved(step=1, path="checkpoints/step-00000001"),
)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_cannot_be_changed_by_an_observer(event):
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.step = 2


def test_any_function_of_an_event_observes():
    seen = []
    observer: Observer = seen.append
    for event in EVENTS:
        observer(event)
    assert [event.step for event in seen] == [1, 1, 1]
