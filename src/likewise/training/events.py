"""What the loop reports: frozen events to whoever observes."""

from dataclasses import dataclass
from typing import Protocol, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDone:
    """One optimiser step.

    Attributes:
        step: from 1.
        loss: of the batch, before the step.
        rate: learning rate of the step.
        gradient_norm: before clipping.
        rows: of the batch.
        texts: distinct texts embedded.
        tokens: embedded.
        masked: in-batch negatives masked because they repeat a positive.
        seconds: of training so far, evaluation left out.
    """

    step: int
    loss: float
    rate: float
    gradient_norm: float
    rows: int
    texts: int
    tokens: int
    masked: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """The dev data was measured after `step` steps (0 is the base model)."""

    step: int
    metric: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A checkpoint was written after `step` steps."""

    step: int
    path: str


Event: TypeAlias = StepDone | Evaluated | Saved


class Observer(Protocol):
    """Anything that wants to know how training goes."""

    def __call__(self, event: Event) -> None:
        """Take one event; must not change the model."""
