"""What a run will do, said before it starts."""

from dataclasses import dataclass

import psutil
import torch
from torch import nn

from likewise.models.device import Hardware
from likewise.training.feed import Feed
from likewise.training.options import TrainingOptions
from likewise.training.sampling import Sampling
from likewise.training.trainable import Trainable

# Forward and backward cost about three forward passes (Kaplan et al. 2020, section 2.1).
BACKWARD = 3.0
# Share of training time that measuring on the dev data may take unasked.
EVALUATION_SHARE = 0.05
MOST_EVALUATIONS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run in numbers.

    Attributes:
        steps: optimiser steps; None where the clock decides.
        rows: of the training data.
        texts: distinct ones.
        cut: role to how many of its texts the length limit cuts.
        tokens_a_step: about so many are embedded.
        parts_a_step: how many parts a batch is computed in.
        evaluate_after: steps after which the dev data is measured.
        checkpoint_every: steps.
        memory: bytes that weights, gradients and optimiser need, and one part's activations.
        hardware: where and in which precision.
    """

    steps: int | None
    rows: int
    texts: int
    cut: dict[str, int]
    tokens_a_step: int
    parts_a_step: int
    evaluate_after: frozenset[int]
    checkpoint_every: int
    memory: int
    hardware: Hardware

    def lines(self) -> list[str]:
        """The plan in sentences."""
        steps = (
            "as many steps as the clock allows" if self.steps is None else f"{self.steps:,} steps"
        )
        dtype = str(self.hardware.dtype).removeprefix("torch.")
        parts = "" if self.parts_a_step == 1 else f" in {self.parts_a_step} parts"
        free = psutil.virtual_memory().available
        lines = [
            f"{self.rows:,} rows, {self.texts:,} distinct texts, {steps}",
            f"about {self.tokens_a_step:,} tokens a step{parts}; "
            f"{self.hardware.device.type} in {dtype} ({self.hardware.why})",
            f"about {self.memory / 1e9:.1f} GB of memory ({free / 1e9:.1f} GB are free); "
            f"{len(self.evaluate_after)} dev evaluations, "
            f"a checkpoint every {self.checkpoint_every:,} steps",
        ]
        for role, count in self.cut.items():
            if count:
                lines.append(f"{count:,} texts of {role} are over the length limit and are cut")
        return lines


def make_plan(
    encoder: Trainable,
    feed: Feed,
    sampling: Sampling,
    options: TrainingOptions,
    *,
    hardware: Hardware,
    dev_tokens: int,
    head: nn.Module | None = None,
) -> Plan:
    """Work out steps, tokens, evaluations and memory; computes nothing.

    Args:
        encoder: to be trained.
        feed: the data.
        sampling: which rows make a batch.
        options: of the run.
        hardware: where it runs.
        dev_tokens: tokens that one evaluation embeds; 0 without dev data.
        head: further weights that are trained: a second encoder, a decoder.
    """
    steps = None if options.minutes else sampling.steps(options.epochs)
    tokens = int(feed.row_tokens * min(options.batch_size, feed.rows))
    horizon = steps or 0
    return Plan(
        steps=steps,
        rows=feed.rows,
        texts=feed.texts,
        cut=feed.cut,
        tokens_a_step=tokens,
        parts_a_step=max(-(-tokens // options.micro_tokens), 1),
        evaluate_after=_evaluations(options, horizon, tokens, dev_tokens),
        checkpoint_every=options.checkpoint_every or max(horizon // 10, 100),
        memory=_memory(encoder, head, min(tokens, options.micro_tokens), hardware.dtype),
        hardware=hardware,
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


def _memory(encoder: Trainable, head: nn.Module | None, tokens: int, dtype: torch.dtype) -> int:
    """Weights, gradients, two moments, and about 34 values a token, unit of width and layer.

    34 is Korthikanti et al. 2022, equation 1, without its attention term, in 16-bit values.
    """
    trained = nn.ModuleList([encoder.module] if head is None else [encoder.module, head])
    weights = sum(parameter.numel() for parameter in trained.parameters())  # shared ones once
    config = encoder.contents.config
    layers = int(config.get("num_hidden_layers", config.get("n_layers", 12)))
    width = int(config.get("hidden_size", config.get("dim", 768)))
    return 16 * weights + 34 * tokens * width * layers * dtype.itemsize // 2
