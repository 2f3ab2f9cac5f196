"""What a method is handed: the model to train, and one call that trains it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from likewise.data.dataset import Dataset, RetrievalSet
from likewise.errors import InputError
from likewise.models.cross_encoder import CrossEncoder
from likewise.models.device import choose_hardware
from likewise.models.encoder import Encoder
from likewise.training.checkpoint import Progress, steps_done
from likewise.training.cost import Cost
from likewise.training.events import Observer
from likewise.training.feed import Feed
from likewise.training.loop import Evaluate, Work, run_loop
from likewise.training.objective import Objective
from likewise.training.options import TrainingOptions
from likewise.training.plan import Plan, make_plan
from likewise.training.probe import probe
from likewise.training.run_folder import MetricsFile
from likewise.training.sampling import Sampling
from likewise.training.trainable import rate_of, restore_weights
from likewise.training.wrappers import wrap

PROBE_SECONDS = 3.0

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
        dev_seconds: what one such measurement takes; None where none was made yet.
        probe_seconds: how long real steps may be tried out, so that the plan knows time and
            memory; 0 for a plan that does not.
        observers: told of every event.
        watchers: those of them that are told of the stages before this one too.
        resume: go on from the newest good checkpoint.
        begin: opens the run's folder, now that nothing about the input can be wrong any more;
            once, however often it is called.
        planned: is given the plan before anything is written.
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
    dev_seconds: float | None = None
    probe_seconds: float = 0.0
    observers: Sequence[Observer] = ()
    watchers: Sequence[Observer] = ()
    resume: bool = False
    begin: Callable[[], None] = lambda: None
    planned: Callable[[Plan], None] = lambda _: None
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
            probe_seconds=self.probe_seconds,
            watchers=self.watchers,
            resume=self.resume,
            planned=self.planned,
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
        objective = wrap(objective, options, encoder)
        feed = objective.feed(encoder, data, options)
        sampling = Sampling(
            n_rows=feed.rows,
            batch_size=options.batch_size,
            seed=options.seed,
            smallest=2 if objective.contrastive else 1,
            groups=feed.groups,
        )
        work = Work(
            encoder=encoder,
            embed=objective.embed(encoder),
            feed=feed,
            objective=objective,
            sampling=sampling,
            options=options,
            plan=self._plan(feed, sampling, options),
            folder=self.folder,
            evaluate=self.evaluate,
        )
        work = replace(work, plan=self._priced(work))
        self.plan = work.plan
        self.planned(work.plan)
        self.begin()
        self.announce(work.plan)
        work = replace(work, observers=self.observers)  # which may be known only now
        self.progress = run_loop(work, resume=self.resume)

    def _plan(
        self,
        feed: Feed,
        sampling: Sampling,
        options: TrainingOptions,
        *,
        cost: Cost | None = None,
    ) -> Plan:
        return make_plan(
            feed,
            sampling,
            options,
            hardware=choose_hardware(self.encoder.device, options.precision),
            dev_tokens=self.dev_tokens,
            done=(steps_done(self.folder) or 0) if self.resume else 0,
            cost=cost,
        )

    def _priced(self, work: Work) -> Plan:
        """The plan, with what it costs: where that is asked for, or the clock must know it."""
        seconds = self.probe_seconds
        if work.options.minutes and self.evaluate is not None:
            seconds = seconds or PROBE_SECONDS
        if not seconds:
            return work.plan
        cost = probe(
            work, seconds=seconds, dev_tokens=self.dev_tokens, dev_seconds=self.dev_seconds
        )
        return self._plan(work.feed, work.sampling, work.options, cost=cost)


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
        more = "use --batch-size 2 or more, 32 to 256 is usual"
        raise InputError(problem, mend="give more rows" if rows < 2 else more)
