"""What steps cost in seconds and bytes, from the few that were tried out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likewise.models.attention import LONGEST_PLAIN

# A forward pass is a third of forward and backward (Kaplan et al. 2020, section 2.1): what the
# parts of a batch that is computed in parts cost more, but for the last.
ONCE_MORE = 1 / 3
# Pulls on the fit, felt where batches are too alike: tokens and squares cost what the arithmetic
# says, and a step without tokens nothing.
ARITHMETIC, NOTHING = 0.02, 0.01
# How many times larger the larger of two steps has to be, for the difference of their memory to be
# that of their tokens and not of whatever else came and went between them
APART = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a batch asks of a machine.

    Attributes:
        tokens: T, of all texts.
        squares: the sum of L², over all texts.
        work: T, and what is computed twice where the batch is computed in parts, relative to T.
        part_tokens: of the largest part, which is in memory at once.
        part_squares: the sum of L² in it, over the texts whose attention scores are kept.
    """

    tokens: int
    squares: float
    work: float
    part_tokens: int
    part_squares: float


def load_of(lengths: NDArray[np.int64], budget: int) -> Load:
    """Count the load of a stream.

    Args:
        lengths: [S] tokens of each text, in the order of the stream.
        budget: tokens in memory at a time.

    >>> load = load_of(np.array([10, 20, 30, 40]), 64)
    >>> load.tokens, load.squares, load.part_tokens, round(load.work, 3)
    (100, 3000.0, 60, 1.2)
    """
    ends = np.cumsum(lengths)
    squares = np.cumsum(lengths.astype(np.float64) ** 2)
    kept = np.cumsum(np.where(lengths <= LONGEST_PLAIN, lengths, 0).astype(np.float64) ** 2)
    bounds = [0]
    while bounds[-1] < len(lengths):
        before = ends[bounds[-1] - 1] if bounds[-1] else 0
        reach = int(np.searchsorted(ends, before + budget, side="right"))
        bounds.append(max(reach, bounds[-1] + 1))
    parts = np.diff(ends[np.array(bounds[1:]) - 1], prepend=0)
    part_squares = np.diff(kept[np.array(bounds[1:]) - 1], prepend=0.0)
    tokens = int(ends[-1])
    return Load(
        tokens=tokens,
        squares=float(squares[-1]),
        work=1 + ONCE_MORE * float(tokens - parts[-1]) / tokens,
        part_tokens=int(parts.max()),
        part_squares=float(part_squares.max()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What the arithmetic of a transformer follows from: H, the heads, and the layers."""

    width: int
    heads: int
    layers: int = 6

    @property
    def token_bytes(self) -> float:
        """Of what a backward pass needs of a token, in float32 (Korthikanti et al. 2022, eq. 1)."""
        return 2 * 34 * self.width * self.layers

    @property
    def square_seconds(self) -> float:
        """Cost of one of the L² beside that of a token.

        Of a token and layer 24 H² operations are in matrices of weights, and 4 H of each of the
        L² in attention (Narayanan et al. 2021, section 3).
        """
        return 1 / (6 * self.width)

    @property
    def square_bytes(self) -> float:
        """Memory of one of the L² beside that of a token (Korthikanti et al. 2022, equation 1)."""
        return 5 * self.heads / (34 * self.width)


def shape_of(config: Mapping[str, Any]) -> Shape:
    """Width, heads and layers by what families call them; of none, those of a small model."""
    width = int(config.get("hidden_size", config.get("dim", 384)))
    return Shape(
        width=width,
        heads=int(config.get("num_attention_heads", config.get("n_heads", 12))),
        layers=int(config.get("num_hidden_layers", config.get("n_layers", 6))),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Seconds of a step, of each of its tokens, and of each of its L²."""

    step: float
    token: float
    square: float

    def seconds(self, load: Load) -> float:
        """Of one step."""
        return self.step + load.work * (self.token * load.tokens + self.square * load.squares)


def fit_rates(loads: Sequence[Load], seconds: Sequence[float], shape: Shape) -> Rates:
    """The rates, none below 0, by which the steps tried out are explained best.

    Least squares of the relative errors (Lawson & Hanson 1974), drawn softly to the ratio of
    squares to tokens that the arithmetic gives.

    Args:
        loads: of some steps.
        seconds: that each took.
        shape: of the model.
    """
    from scipy.optimize import nnls

    took = np.asarray(seconds, dtype=np.float64)
    tokens = np.array([load.work * load.tokens for load in loads])
    squares = np.array([load.work * load.squares for load in loads])
    unit = float(took.mean() / tokens.mean())  # of a token, about: brings all three to one scale
    table = np.stack([np.full(len(took), unit * tokens.mean()), unit * tokens, unit * squares], 1)
    table[:, 2] *= shape.square_seconds
    pulls = np.sqrt(len(took)) * np.array([[0.0, -ARITHMETIC, ARITHMETIC], [NOTHING, 0.0, 0.0]])
    sides = np.append(np.ones(len(took)), np.zeros(len(pulls)))
    found = nnls(np.vstack([table / took[:, None], pulls]), sides)[0]
    return Rates(
        step=float(found[0] * unit * tokens.mean()),
        token=float(found[1] * unit),
        square=float(found[2] * unit * shape.square_seconds),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Bytes that are there however small a batch is, and bytes a token of the largest part."""

    fixed: float
    token: float
    square: float

    def bytes_of(self, load: Load) -> float:
        """At the peak of a step."""
        return self.fixed + self.token * load.part_tokens + self.square * load.part_squares


def fit_room(loads: tuple[Load, Load], peaks: tuple[float, float], shape: Shape) -> Room:
    """What memory a step takes, from a small one and a large one.

    Where they are much the same, or one, a token takes what the arithmetic says.

    Args:
        loads: of the two steps.
        peaks: bytes at the peak of each.
        shape: of the model, which says what part attention has.
    """
    small, large = (load.part_tokens + shape.square_bytes * load.part_squares for load in loads)
    token = shape.token_bytes
    if large >= APART * small:
        token = max(peaks[1] - peaks[0], 0.0) / (large - small)
    fixed = max(max(peaks) - token * large, 0.0)
    return Room(fixed=fixed, token=token, square=token * shape.square_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a run takes.

    Attributes:
        step_seconds: of a mean step.
        step_tokens: that it embeds.
        dev_seconds: of one measurement on the dev data.
        save_seconds: of a checkpoint.
        memory: bytes of the whole process, or on the device, at the peak.
        fixed_memory: of them those that no smaller part would spare.
        part_tokens: of the largest part of a batch.
        free: bytes that the process may have, with those that it has already.
    """

    step_seconds: float
    step_tokens: float
    dev_seconds: float
    save_seconds: float
    memory: int
    fixed_memory: int
    part_tokens: int
    free: int

    @property
    def tokens_per_second(self) -> float:
        """Of training, evaluations left out."""
        return self.step_tokens / self.step_seconds

    def memory_of(self, micro_tokens: int) -> float:
        """Bytes at the peak, were no more than so many tokens in memory at a time."""
        share = min(micro_tokens / self.part_tokens, 1.0)
        return self.fixed_memory + share * (self.memory - self.fixed_memory)
