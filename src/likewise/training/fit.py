"""What a method is handed: the encoder to train, and one call that trains it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from likewise.data.dataset import Dataset
from likewise.errors import InputError
from likewise.models.device import choose_hardware
from likewise.models.encoder import Encoder
from likewise.training.checkpoint import Progress
from likewise.training.events import Observer
from likewise.training.examples import Examples, build_examples
from likewise.training.loop import Evaluate, Work, run_loop
from likewise.training.objective import Objective
from likewise.training.options import TrainingOptions
from likewise.training.plan import Plan, make_plan
from likewise.training.sampling import Sampling


@dataclass(kw_only=True)
class Fit:
    """One stage of training, waiting for its data and its objective.

    Attributes:
        encoder: trained in place.
        options: of the run.
        folder: for checkpoints.
        evaluate: measures the dev data; None without.
        dev_tokens: tokens that one such measurement embeds.
        observers: told of every event.
        resume: go on from the newest good checkpoint.
        announce: is given the plan before the first step.
        say: is given each note as it is made.
        notes: what the method decided about the data, for the user to see.
        plan: what was announced.
        progress: where training ended.
    """

    encoder: Encoder
    options: TrainingOptions
    folder: Path
    evaluate: Evaluate | None = None
    dev_tokens: int = 0
    observers: Sequence[Observer] = ()
    resume: bool = False
    announce: Callable[[Plan], None] = lambda _: None
    say: Callable[[str], None] = lambda _: None
    notes: list[str] = field(default_factory=list)
    plan: Plan | None = None
    progress: Progress | None = None

    def note(self, text: str) -> None:
        """Keep what the method decided, and say it."""
        self.notes.append(text)
        self.say(text)

    def __call__(self, data: Dataset, objective: Objective) -> None:
        """Train the encoder on `data` towards `objective`.

        Raises:
            InputError: the loss would be constant on batches of this size.
        """
        options = self.options
        if objective.contrastive and min(options.batch_size, len(data)) < 2:
            problem = (
                "a batch of one row has no negatives: its loss is always zero "
                f"(batch size {options.batch_size}, {len(data)} rows)"
            )
            raise InputError(problem, mend="use --batch-size 2 or more, 32 to 256 is usual")
        examples = build_examples(self.encoder, data, max_tokens=options.max_tokens)
        if objective.contrastive and not _has_negatives(examples):
            problem = "no row has a negative: all have the same answer, or ask the same question"
            raise InputError(
                problem, mend="give pairs that differ, or look at them: likewise check"
            )
        sampling = Sampling(
            n_rows=len(examples),
            batch_size=options.batch_size,
            seed=options.seed,
            smallest=2 if objective.contrastive else 1,
        )
        plan = make_plan(
            self.encoder,
            examples,
            sampling,
            options,
            hardware=choose_hardware(self.encoder.device, options.precision),
            dev_tokens=self.dev_tokens,
        )
        self.plan = plan
        self.announce(plan)
        work = Work(
            encoder=self.encoder,
            examples=examples,
            objective=objective,
            sampling=sampling,
            options=options,
            plan=plan,
            folder=self.folder,
            evaluate=self.evaluate,
            observers=self.observers,
        )
        self.progress = run_loop(work, resume=self.resume)


def _has_negatives(examples: Examples) -> bool:
    """Whether any two rows differ on both sides, near-duplicates aside, or negatives are given."""
    if not {"anchor", "positive"} >= examples.columns.keys():
        return True
    sides = (examples.columns[role] for role in ("anchor", "positive"))
    return all(len(np.unique(examples.cluster[side[side >= 0]])) > 1 for side in sides)
