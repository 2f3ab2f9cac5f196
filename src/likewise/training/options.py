"""How long, how fast and how carefully to train."""

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict

from likewise.errors import InputError

TRANSFORMER_RATE = 5e-5


def split_numbers(given: Any) -> Any:
    """Numbers as a command line has them, or one alone, as values; anything else as it is.

    >>> split_numbers("256, 128"), split_numbers(64)
    (('256', '128'), (64,))
    """
    if isinstance(given, str):
        return tuple(part.strip() for part in given.split(",") if part.strip())
    return (given,) if type(given) is int else given  # True is no number


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOptions:
    """Everything about training that is not the method's own.

    Attributes:
        epochs: passes over the data; may be a fraction.
        minutes: stop by the clock instead, evaluations and checkpoints counted in; the
            learning-rate schedule is fitted to it.
        batch_size: rows a step; for contrastive losses also where the negatives come from.
        learning_rate: the peak; where None, what suits the base model's family (5e-5 for
            transformers).
        warmup: share of the steps in which the rate rises from 0.
        schedule: how the rate falls to 0 after the warm-up.
        weight_decay: of AdamW, on matrices only.
        clip: largest norm of the gradient; 0 for no limit.
        dropout: probability; the model's own where None.
        max_tokens: cut texts at so many tokens; the model's own limit where None.
        precision: "auto" is bfloat16 where the hardware has it, else float32.
        micro_tokens: most tokens in memory at a time; a larger batch is computed in parts, with
            the same gradients.
        seed: of row order and dropout.
        evaluations: how often to measure on the dev data while training; where None, as often
            as costs about a twentieth of the time, ten times at the most.
        keep: the weights of the best evaluation, or the last ones.
        matryoshka: dimensions to train besides the whole vector, as in 256,128,64: each of them
            gives good vectors when the rest is cut off (Kusupati et al. 2022).
        adaptive_layers: earlier layers a step, drawn at random, that are trained as if they were
            the last, so that the later ones can be left out (Li et al. 2024); 0 for none.
        orthogonality: weight of a term that spreads unrelated vectors over the sphere (Zhang et
            al. 2017); 0 for none.
        checkpoint_every: steps between checkpoints; where 0, ten in a run.
        general: files or folders of other data, as in stsb.csv,faq.csv, on which base and trained
            model are measured too: what the training cost the model's general skill.
        deterministic: two runs give the same bits on a GPU too, at some cost of speed there; on a
            CPU they always do.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    epochs: float = 1.0
    minutes: float | None = None
    batch_size: int = 64
    learning_rate: float | None = None
    warmup: float = 0.1
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    weight_decay: float = 0.01
    clip: float = 1.0
    dropout: float | None = None
    max_tokens: int | None = None
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    micro_tokens: int = 8192
    seed: int = 42
    evaluations: int | None = None
    keep: Literal["best", "last"] = "best"
    matryoshka: Annotated[tuple[int, ...], BeforeValidator(split_numbers)] = ()
    adaptive_layers: int = 0
    orthogonality: float = 0.0
    checkpoint_every: int = 0
    general: Annotated[tuple[str, ...], BeforeValidator(split_numbers)] = ()
    deterministic: bool = False

    @property
    def peak(self) -> float:
        """The highest learning rate; that of transformers where none is set."""
        return self.learning_rate or TRANSFORMER_RATE

    def __post_init__(self) -> None:
        """Refuse values out of range, naming the option."""
        for name, good, expected in (
            ("epochs", 0 < self.epochs < math.inf, "over 0 and finite"),
            ("minutes", self.minutes is None or 0 < self.minutes < math.inf, "over 0 and finite"),
            ("batch_size", self.batch_size >= 1, "1 or more"),
            (
                "learning_rate",
                self.learning_rate is None or 0 < self.learning_rate < 1,
                "between 0 and 1",
            ),
            ("warmup", 0 <= self.warmup < 1, "from 0 to below 1"),
            ("weight_decay", 0 <= self.weight_decay < math.inf, "0 or more and finite"),
            ("clip", self.clip >= 0, "0 or more"),
            ("dropout", self.dropout is None or 0 <= self.dropout < 1, "from 0 to below 1"),
            ("max_tokens", self.max_tokens is None or self.max_tokens >= 4, "4 or more"),
            ("micro_tokens", self.micro_tokens >= 64, "64 or more"),
            ("evaluations", self.evaluations is None or self.evaluations >= 0, "0 or more"),
            ("matryoshka", all(d >= 1 for d in self.matryoshka), "1 or more, each"),
            ("adaptive_layers", self.adaptive_layers >= 0, "0 or more"),
            ("orthogonality", 0 <= self.orthogonality < math.inf, "0 or more and finite"),
            ("checkpoint_every", self.checkpoint_every >= 0, "0 or more"),
        ):
            if not good:
                problem = f"{name} must be {expected}, found {getattr(self, name)}"
                raise InputError(problem, mend=f"change {name} (--{name.replace('_', '-')})")
