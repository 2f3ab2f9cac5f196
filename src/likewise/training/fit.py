"""What a method is handed: the model to train, and one call that trains it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from likewise.data.dataset import Dataset, RetrievalSet
from likewise.errors import InputError
from likewise.models.cross_encoder import CrossEncoder
from likewise.models.device import choose_hardware
from likewise.models.encoder import Encoder
from likewise.training.batch import Batch, collate
from likewise.training.checkpoint import Progress, steps_done
from likewise.training.events import Observer
from likewise.training.examples import Examples, build_examples
from likewise.training.guide import embed_guide
from likewise.training.loop import Collate, Evaluate, Work, run_loop
from likewise.training.objective import Objective
from likewise.training.options import TrainingOptions
from likewise.training.pair_batch import PairRows, build_pair_examples, collate_pairs, limited
from likewise.training.plan import Plan, make_plan
from likewise.training.run_folder import MetricsFile
from likewise.training.sampling import TOGETHER, Groups, Sampling
from likewise.training.trainable import Embeds, rate_of, restore_weights
from likewise.training.wrappers import refuse_wrapping, wrap

Model = TypeVar("Model", Encoder, CrossEncoder)


@dataclass(kw_only=True)
class Fit(Generic[Model]):
    """One stage of training, waiting for its data and its objective.

    Attributes:
        encoder: trained in place: an encoder, or a cross-encoder.
        options: of the run.
        folder: for checkpoints.
        evaluate: measures the dev data; None without.
        dev: the data that the run is measured on, which a method must not train on.
        dev_tokens: tokens that one such measurement embeds.
        observers: told of every event.
        watchers: those of them that are told of the stages before this one too.
        resume: go on from the newest good checkpoint.
        begin: opens the run's folder, now that nothing about the input can be wrong any more;
            once, however often it is called.
        announce: is given the plan before the first step.
        progress_shown: whether work between the stages may draw a bar.
        say: is given each note as it is made.
        notes: what the method decided about the data, for the user to see.
        plan: what was announced.
        progress: where training ended.
    """

    encoder: Model
    options: TrainingOptions
    folder: Path
    evaluate: Evaluate | None = None
    dev: Dataset | RetrievalSet | None = None
    dev_tokens: int = 0
    observers: Sequence[Observer] = ()
    watchers: Sequence[Observer] = ()
    resume: bool = False
    begin: Callable[[], None] = lambda: None
    announce: Callable[[Plan], None] = lambda _: None
    progress_shown: bool = False
    say: Callable[[str], None] = lambda _: None
    notes: list[str] = field(default_factory=list)
    plan: Plan | None = None
    progress: Progress | None = None

    def note(self, text: str) -> None:
        """Keep what the method decided, and say it."""
        self.notes.append(text)
        self.say(text)

    def stage(
        self,
        name: str,
        model: Encoder | CrossEncoder,
        data: Dataset,
        objective: Objective,
        **changed: Any,
    ) -> None:
        """Train another model first, in a folder of its own beside the checkpoints.

        With `resume` a stage that was finished is read back, one that was not goes on.

        Args:
            name: of the stage and its folder.
            model: trained in place.
            data: for it.
            objective: for it.
            **changed: training options that differ from those of the run.
        """
        folder = self.folder / name
        finished = folder / "model"
        if self.resume and finished.is_dir():
            self.note(f"{name}: finished before, read back from {finished}")
            restore_weights(model, finished)
            return
        usual: dict[str, Any] = {
            "matryoshka": (),
            "adaptive_layers": 0,
            "orthogonality": 0.0,
            "keep": "last",
        }
        self.say(f"stage: {name}")
        stage: Fit[Any] = Fit(
            encoder=model,
            options=replace(self.options, **(usual | changed)),
            folder=folder,
            watchers=self.watchers,
            resume=self.resume,
            say=self.say,
            notes=self.notes,
        )

        def announce(plan: Plan) -> None:
            self.begin()
            self.announce(plan)
            done = steps_done(folder) if self.resume else None
            folder.mkdir(parents=True, exist_ok=True)
            stage.observers = (MetricsFile(folder, keep_until=done), *self.watchers)

        stage.announce = announce
        stage(data, objective)
        model.save(finished, overwrite=True)

    def __call__(self, data: Dataset, objective: Objective) -> None:
        """Train the model on `data` towards `objective`.

        Raises:
            InputError: the loss would be constant on this data, or on batches of this size.
        """
        encoder = self.encoder
        options = replace(
            self.options, learning_rate=self.options.learning_rate or rate_of(encoder)
        )
        refuse_lonely(objective.contrastive, options, len(data))
        if isinstance(encoder, CrossEncoder):
            refuse_wrapping(options, encoder)
        else:
            objective = wrap(objective, options, encoder)
        examples = _examples(encoder, data, objective, options)
        if objective.contrastive:
            _refuse_no_negatives(examples)
        sampling = Sampling(
            n_rows=len(examples),
            batch_size=options.batch_size,
            seed=options.seed,
            smallest=2 if objective.contrastive else 1,
            groups=_groups(examples, options.batch_size) if objective.grouped else None,
        )
        plan = make_plan(
            encoder,
            examples,
            sampling,
            options,
            hardware=choose_hardware(encoder.device, options.precision),
            dev_tokens=self.dev_tokens,
        )
        self.plan = plan
        self.begin()
        self.announce(plan)
        work = Work(
            encoder=encoder,
            embed=_embed(encoder, objective),
            collate=_collate(encoder, examples, objective, options),
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


def _embed(model: Encoder | CrossEncoder, objective: Objective) -> Embeds:
    """What the loss takes of a stream: the vectors of the last layer or of every layer, logits."""
    if objective.by_layer and isinstance(model, Encoder):
        return model.embed_layers
    return model.embed


def refuse_lonely(contrastive: bool, options: TrainingOptions, rows: int) -> None:
    """Refuse batches of one row where other rows are the negatives.

    Raises:
        InputError: the batch size, or the data, is one row.
    """
    if contrastive and min(options.batch_size, rows) < 2:
        problem = (
            "a batch of one row has no negatives: its loss is always zero "
            f"(batch size {options.batch_size}, {rows} rows)"
        )
        raise InputError(problem, mend="use --batch-size 2 or more, 32 to 256 is usual")


def _examples(
    model: Encoder | CrossEncoder, data: Dataset, objective: Objective, options: TrainingOptions
) -> Examples:
    """The data tokenised, in the way of the model."""
    if isinstance(model, Encoder):
        return build_examples(model, data, max_tokens=options.max_tokens)
    drawn = min(objective.negatives, options.batch_size - 1)
    return build_pair_examples(model, data, max_tokens=options.max_tokens, negatives=drawn)


def _collate(
    model: Encoder | CrossEncoder,
    examples: Examples,
    objective: Objective,
    options: TrainingOptions,
) -> Collate:
    """Rows and step to a batch, in the way of the model and the objective."""
    if isinstance(model, CrossEncoder):
        source = PairRows(
            examples=examples,
            tokenizer=limited(model.pairs, options.max_tokens),
            form=objective.form,
            negatives=objective.negatives,
            seed=options.seed,
        )
        return lambda rows, step: collate_pairs(source, rows, device=model.device, step=step)

    def gather(rows: NDArray[np.int64], step: int) -> Batch:
        batch = collate(examples, rows, layout=objective.layout, device=model.device, step=step)
        guide = objective.guide
        if guide is None:
            return batch
        return embed_guide(guide, batch, examples, precision=options.precision)

    return gather


def _groups(examples: Examples, batch_size: int) -> Groups:
    """A few rows of a label at a time, yet never a batch of one label.

    Raises:
        InputError: no label has two rows, so that nothing belongs together.
    """
    labels = np.asarray(examples.values["label"], dtype=np.int64)
    if np.bincount(labels).max() < 2:
        problem = f"each of {len(labels):,} rows has a label of its own: nothing belongs together"
        raise InputError(problem, mend="give two rows or more for each label")
    return Groups(labels, min(TOGETHER, max(batch_size // 2, 2)))


def _refuse_no_negatives(examples: Examples) -> None:
    """Nothing to tell apart: no two rows differ on both sides, and no negatives are given.

    Raises:
        InputError: so it is.
    """
    if "label" in examples.columns or "anchor" not in examples.columns:
        return
    if not {"anchor", "positive"} >= examples.columns.keys():
        return
    sides = (examples.columns[role] for role in ("anchor", "positive"))
    if not all(len(np.unique(examples.cluster[side[side >= 0]])) > 1 for side in sides):
        problem = "no row has a negative: all have the same answer, or ask the same question"
        mend = "give pairs that differ, or look at them: likewise check"
        raise InputError(problem, mend=mend)
