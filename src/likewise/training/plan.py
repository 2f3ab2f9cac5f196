"""What a run will do, said before it starts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from likewise.models.device import Hardware
from likewise.training.cost import Cost
from likewise.training.feed import Feed
from likewise.training.options import TrainingOptions
from likewise.training.sampling import Sampling

# Forward and backward cost about three forward passes (Kaplan et al. 2020, section 2.1).
BACKWARD = 3.0
# Share of training time that measuring on the dev data may take unasked.
EVALUATION_SHARE = 0.05
MOST_EVALUATIONS = 10
CLOCK_EVALUATIONS = 4  # in a run that the clock ends, unless asked otherwise
LEAST_MICRO_TOKENS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run in numbers.

    Attributes:
        steps: optimiser steps; None where the clock decides.
        epoch_steps: steps that see every row once.
        rows: of the training data.
        texts: distinct ones.
        cut: role to how many of its texts the length limit cuts.
        tokens_a_step: about so many are embedded.
        parts_a_step: how many parts a batch is computed in.
        evaluate_after: steps after which the dev data is measured.
        checkpoint_every: steps.
        hardware: where and in which precision.
        minutes: where the clock decides, of the whole.
        evaluations: where the clock decides, how often the dev data is measured.
        micro_tokens: most of them in memory at a time.
        done: steps that an interrupted run has behind it.
        cost: what a step and all else takes; None where nothing was tried out.
    """

    steps: int | None
    rows: int
    texts: int
    cut: dict[str, int]
    tokens_a_step: int
    parts_a_step: int
    evaluate_after: frozenset[int]
    checkpoint_every: int
    hardware: Hardware
    epoch_steps: int = 1
    minutes: float | None = None
    evaluations: int = 0
    micro_tokens: int = 8192
    done: int = 0
    cost: Cost | None = None

    def clock_seconds(self, options: TrainingOptions) -> float:
        """When the steps of a run by the clock end, so that its last measurement and its model fit.

        Args:
            options: with `minutes`.
        """
        whole = 60 * (options.minutes or 1)
        last = 0.0 if self.cost is None else self.cost.save_seconds
        if self.cost is not None and self.evaluations:
            last += self.cost.dev_seconds
        return whole - min(last, whole / 2)

    @property
    def expected_steps(self) -> int | None:
        """All steps of the run; by the clock, as many as probably fit; None where unknown."""
        if self.steps is not None or self.cost is None or self.minutes is None:
            return self.steps
        cost = self.cost
        spent = max(self.evaluations - 1, 0) * cost.dev_seconds
        left = 60 * self.minutes - spent - cost.save_seconds
        left -= cost.dev_seconds if self.evaluations else 0.0
        a_step = cost.step_seconds + cost.save_seconds / self.checkpoint_every
        return max(int(max(left, 30 * self.minutes - spent) / a_step), 1)

    @property
    def train_seconds(self) -> float | None:
        """Of the steps that are left, and of nothing else; None where unknown."""
        steps = self.expected_steps
        if self.cost is None or steps is None:
            return None
        return max(steps - self.done, 0) * self.cost.step_seconds

    @property
    def all_seconds(self) -> float | None:
        """From the first step until the model is saved and measured; None where unknown."""
        train, steps = self.train_seconds, self.expected_steps
        if self.cost is None or train is None or steps is None:
            return None
        last = self.cost.dev_seconds  # once more, of the model as it is saved
        if self.minutes is not None:
            return 60 * self.minutes + last
        measured = sum(step > self.done for step in self.evaluate_after)
        saved = steps // self.checkpoint_every - self.done // self.checkpoint_every
        return (
            train + measured * self.cost.dev_seconds + (saved + 1) * self.cost.save_seconds + last
        )

    def lines(self) -> list[str]:
        """The plan in sentences."""
        lines = [self._work(), self._place()]
        if self.cost is not None:
            lines += [self._time(self.cost), self._memory(self.cost)]
            if self.cost.memory > self.cost.free:
                lines.append(self._too_much(self.cost))
        for role, count in self.cut.items():
            if count:
                lines.append(f"{count:,} texts of {role} are over the length limit and are cut")
        return lines

    def to_json(self) -> dict[str, Any]:
        """The plan for machines: counts, seconds and bytes; null where unknown."""
        cost = self.cost
        return {
            "steps": self.expected_steps,
            "steps_done": self.done,
            "epochs": None if self.expected_steps is None else self._epochs(self.expected_steps),
            "rows": self.rows,
            "texts": self.texts,
            "cut": self.cut,
            "tokens_a_step": self.tokens_a_step,
            "parts_a_step": self.parts_a_step,
            "evaluations": len(self.evaluate_after) or self.evaluations,
            "checkpoint_every": self.checkpoint_every,
            "device": str(self.hardware.device),
            "precision": str(self.hardware.dtype).removeprefix("torch."),
            "tokens_per_second": None if cost is None else cost.tokens_per_second,
            "step_seconds": None if cost is None else cost.step_seconds,
            "train_seconds": self.train_seconds,
            "all_seconds": self.all_seconds,
            "peak_bytes": None if cost is None else cost.memory,
            "free_bytes": None if cost is None else cost.free,
        }

    def _epochs(self, steps: int) -> float:
        return steps / self.epoch_steps

    def _work(self) -> str:
        steps = "as many steps as the clock allows"
        if self.steps is not None:
            steps = f"{self.steps:,} steps"
        elif self.expected_steps is not None:
            epochs = f"{self._epochs(self.expected_steps):.2g} epochs"
            steps = f"about {self.expected_steps:,} steps ({epochs}) in the time given"
        done = f", of which {self.done:,} are done" if self.done else ""
        return f"{self.rows:,} rows, {self.texts:,} distinct texts, {steps}{done}"

    def _place(self) -> str:
        dtype = str(self.hardware.dtype).removeprefix("torch.")
        parts = "" if self.parts_a_step == 1 else f" in {self.parts_a_step} parts"
        count = len(self.evaluate_after) or self.evaluations
        return (
            f"about {self.tokens_a_step:,} tokens a step{parts}; "
            f"{self.hardware.device.type} in {dtype} ({self.hardware.why}); "
            f"{count} dev evaluations, a checkpoint every {self.checkpoint_every:,} steps"
        )

    def _time(self, cost: Cost) -> str:
        train, whole = self.train_seconds or 0.0, self.all_seconds or 0.0
        end = datetime.now().astimezone() + timedelta(seconds=whole)
        day = "" if whole < 12 * 3600 else f"{end:%A} "
        return (
            f"{cost.tokens_per_second:,.0f} tokens/s: {spoken(train)} to train, "
            f"{spoken(whole)} in all, until {day}{end:%H:%M}"
        )

    def _memory(self, cost: Cost) -> str:
        where = "" if self.hardware.device.type == "cpu" else f" of {self.hardware.device.type}"
        free = f"{cost.free / 1e9:.1f}"
        return f"{cost.memory / 1e9:.1f} GB{where} memory at the peak; {free} GB are free"

    def _too_much(self, cost: Cost) -> str:
        fewer = self.micro_tokens // 2
        while fewer >= LEAST_MICRO_TOKENS and cost.memory_of(fewer) > cost.free:
            fewer //= 2
        if fewer >= LEAST_MICRO_TOKENS:
            return f"warning: that is more than is free; --micro-tokens {fewer} fits, as slow"
        return "warning: that is more than is free; a smaller --base or --batch-size may fit"


def spoken(seconds: float) -> str:
    """A duration as people say it, with two digits that matter.

    >>> spoken(4.24), spoken(90), spoken(600), spoken(5400), spoken(200_000)
    ('4.2 s', '90 s', '10 min', '1 h 30 min', '2 d 8 h')
    """
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days} d {hours} h"


def make_plan(
    feed: Feed,
    sampling: Sampling,
    options: TrainingOptions,
    *,
    hardware: Hardware,
    dev_tokens: int,
    done: int = 0,
    cost: Cost | None = None,
) -> Plan:
    """Work out steps, tokens, evaluations and checkpoints; computes nothing.

    What a run by steps does is the same whatever its cost, so that a run can be made again.

    Args:
        feed: the data.
        sampling: which rows make a batch.
        options: of the run.
        hardware: where it runs.
        dev_tokens: tokens that one evaluation embeds; 0 without dev data.
        done: steps that an interrupted run has behind it.
        cost: what a step and all else takes.
    """
    steps = None if options.minutes else sampling.steps(options.epochs)
    tokens = int(feed.row_tokens * min(options.batch_size, feed.rows))
    horizon = steps or 0
    return Plan(
        steps=steps,
        epoch_steps=sampling.steps_per_epoch,
        rows=feed.rows,
        texts=feed.texts,
        cut=feed.cut,
        tokens_a_step=tokens if cost is None else round(cost.step_tokens),
        parts_a_step=max(-(-tokens // options.micro_tokens), 1),
        evaluate_after=_evaluations(options, horizon, tokens, dev_tokens),
        checkpoint_every=options.checkpoint_every or max(horizon // 10, 100),
        hardware=hardware,
        minutes=options.minutes,
        evaluations=_clock_evaluations(options, dev_tokens, cost),
        micro_tokens=options.micro_tokens,
        done=done,
        cost=cost,
    )


def _evaluations(
    options: TrainingOptions, steps: int, tokens: int, dev_tokens: int
) -> frozenset[int]:
    """Evenly spaced, the last step always among them; the clock's end is measured by the loop."""
    if not dev_tokens or options.evaluations == 0 or not steps:
        return frozenset()
    count = options.evaluations
    if count is None:
        affordable = EVALUATION_SHARE * BACKWARD * tokens * steps / dev_tokens
        count = int(min(max(affordable, 1), MOST_EVALUATIONS))
    count = min(count, steps)
    return frozenset(round(steps * (i + 1) / count) for i in range(count))


def _clock_evaluations(options: TrainingOptions, dev_tokens: int, cost: Cost | None) -> int:
    """How often a run by the clock measures: as often as is asked, or as is cheap."""
    if not options.minutes or not dev_tokens or options.evaluations is not None:
        return options.evaluations or 0 if options.minutes and dev_tokens else 0
    if cost is None or cost.dev_seconds == 0:
        return CLOCK_EVALUATIONS
    affordable = EVALUATION_SHARE * 60 * options.minutes / cost.dev_seconds
    return int(min(max(affordable, 1), CLOCK_EVALUATIONS))
