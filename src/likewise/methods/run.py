"""A run: measure the base, train, measure again, and say what came of it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from likewise.data.dataset import Dataset, RetrievalSet
from likewise.data.reading import read
from likewise.evaluation.comparison import conclude_run
from likewise.evaluation.diagnosis import diagnose
from likewise.evaluation.evaluators import evaluate, evaluate_baseline, evaluator_for
from likewise.evaluation.result import Evaluation, Result
from likewise.evaluation.schema import write_evaluation
from likewise.methods.auto import why_chosen
from likewise.methods.dev_data import TrainAndDev, dev_tokens, prepare_dev
from likewise.methods.general import General, conclude_general, read_general
from likewise.methods.recipe import Recipe, refuse_changed
from likewise.methods.settle import name_of, rows_to_train, settle
from likewise.methods.start import Start, start_model
from likewise.methods.table import METHODS
from likewise.models.checkpoint_weights import fingerprint_weights
from likewise.models.cross_encoder import CrossEncoder
from likewise.models.encoder import Encoder
from likewise.models.folder.trained_on import trained_later
from likewise.models.source import EMBEDDED
from likewise.text.audit import audit
from likewise.training.checkpoint import steps_done
from likewise.training.events import Evaluated, Observer
from likewise.training.fit import Fit, refuse_lonely
from likewise.training.options import TrainingOptions
from likewise.training.plan import Plan
from likewise.training.run_folder import (
    MetricsFile,
    add_to_manifest,
    clear_run,
    open_run,
    refuse_folder,
    refuse_other_run,
    write_json,
    write_manifest,
)
from likewise.training.trainable import rate_of

Existing = Literal["refuse", "resume", "overwrite"]
TRAINED = "trained"


@dataclass(frozen=True, kw_only=True)
class Run:
    """What training left behind.

    Attributes:
        folder: recipe, manifest, metrics, checkpoints, model, evaluation.
        model: the trained encoder or cross-encoder; also in `folder / "model"`.
        evaluation: baseline, base and trained model side by side; None without dev data.
        notes: what was decided about data and model on the way.
    """

    folder: Path
    model: Encoder | CrossEncoder
    evaluation: Evaluation | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """Who is told what while a run goes on.

    Attributes:
        observers: every event of the loop.
        plan: the plan, before the first step.
        note: each decision, in a sentence.
        begin: that the run's folder is about to be opened: nothing about the input can be wrong
            any more.
        progress: whether long work between the steps may draw a bar.
        probe_seconds: how long steps may be tried out, so that the plan knows time and memory.
        planned: the plan, before anything is written.
        plan_only: nothing is measured or written; `planned` ends the run.
    """

    observers: Sequence[Observer] = ()
    plan: Callable[[Plan], None] = lambda _: None
    note: Callable[[str], None] = lambda _: None
    begin: Callable[[], None] = lambda: None
    progress: bool = False
    probe_seconds: float = 0.0
    planned: Callable[[Plan], None] = lambda _: None
    plan_only: bool = False


def train(
    model: Encoder | CrossEncoder | str,
    data: Dataset | RetrievalSet | str | Path | Sequence[str | Path],
    *,
    method: str = "auto",
    dev: Dataset | RetrievalSet | str | Path | None = None,
    out: str | Path,
    existing: Existing = "refuse",
    allow_leak: bool = False,
    tell: Tell | None = None,
    **settings: Any,
) -> Run:
    """Train an embedding model and prove what it is worth.

    The base model and a plain baseline are measured on the dev data first, then the encoder is
    trained in place, then it is measured on the same data, with a paired interval.

    Args:
        model: an encoder or a cross-encoder, or what `likewise.load` takes.
        data: rows to train on, or their file or files; of a retrieval set, the methods for plain
            texts take the corpus.
        method: a name in `METHODS`; "auto" takes the one that suits the data.
        dev: data to measure on, of a kind that can be evaluated; None holds a part of `data` out.
        out: folder of the run.
        existing: what to do where `out` holds something.
        allow_leak: measure although dev rows stand in the training data.
        tell: who is told of events, plan and notes.
        **settings: any of `TrainingOptions`, or an option of the method, by name.

    Returns:
        The run, with the trained model and its evaluation.

    Raises:
        InputError: data, options or folder are wrong; nothing was written.
        Interrupted: stopped by Ctrl-C or SIGTERM, with a checkpoint.
        NotFinite: the loss or a gradient is no longer a number.
    """
    tell = tell or Tell()
    given = data if isinstance(data, Dataset | RetrievalSet) else read(data)
    rows = rows_to_train(given, method)
    measured = read(dev) if isinstance(dev, str | Path) else dev
    named = "base" if isinstance(model, Encoder | CrossEncoder) else str(model)
    recipe = settle(rows, name_of(dev), named, method, settings)
    spec, seed = METHODS[recipe.method], recipe.training.seed
    start = start_model(model, spec, rows, options=recipe.options, seed=seed)
    recipe = replace(recipe, training=_with_rate(recipe.training, start.model))
    ready = prepare_dev(rows, measured, allow_leak=allow_leak, seed=seed, makes=spec.makes)
    refuse_lonely(spec.contrastive, recipe.training, len(ready.train))
    if method == "auto" and (why := why_chosen(rows)):
        ready = replace(ready, notes=(why, *ready.notes))
    general = read_general(recipe.training.general, ready.train, start)
    ready = replace(ready, notes=(*ready.notes, *general.notes))
    folder = Path(out)
    if not tell.plan_only or existing == "resume":
        refuse_folder(folder, overwrite=existing == "overwrite", resume=existing == "resume")
    if existing == "resume":
        refuse_changed(folder / "recipe.toml", recipe)
        refuse_other_run(folder, _facts(recipe, start.model, ready))
    for text in (*start.model.notes, *(str(note) for note in rows.notes), *ready.notes):
        tell.note(text)
    return _Running(folder, recipe, start, ready, tell, general=general, existing=existing).go()


def _with_rate(training: TrainingOptions, model: Encoder | CrossEncoder) -> TrainingOptions:
    """The learning rate as it will be: one asked for, or what suits the model's family."""
    return replace(training, learning_rate=training.learning_rate or rate_of(model))


class _Running:
    """The parts of one run, in the order of `go`."""

    def __init__(
        self,
        folder: Path,
        recipe: Recipe,
        start: Start,
        ready: TrainAndDev,
        tell: Tell,
        *,
        general: General,
        existing: Existing,
    ) -> None:
        self.folder = folder
        self.recipe = recipe
        self.start = start
        self.encoder = start.model
        self.ready = ready
        self.tell = tell
        self.general = general
        self.general_before: tuple[Result, ...] = ()
        self.existing = existing
        self.observers = list(tell.observers)
        self.is_open = False
        self.dev_seconds: float | None = None
        self.measured: dict[str, Result] = {}  # by the hash of the weights

    def go(self) -> Run:
        """Measure, train, measure, write."""
        before = self._before()
        if not self.tell.plan_only:
            self.general_before = self.general.measure(self.start.base, self.recipe.base)
        fit = self._fit(before)
        METHODS[self.recipe.method].function(fit, self.ready.train, **self.recipe.options)
        self.encoder = fit.encoder
        chosen = _chosen(fit)
        for text in chosen:
            self.tell.note(text)
        notes = self._record(fit, chosen)
        self._rename()
        self.encoder.save(self.folder / "model", overwrite=True)
        evaluation = self._after(before)
        return Run(folder=self.folder, model=self.encoder, evaluation=evaluation, notes=notes)

    def _before(self) -> tuple[Result, ...]:
        """The plain baseline, where the data has one, and the untouched base model."""
        dev = self.ready.dev
        if dev is None or self.tell.plan_only:
            return ()
        base = self.start.base_for(dev)
        plain = evaluate_baseline(dev, evaluator=self._evaluator(dev))
        found = [plain] if plain is not None else []
        if base is not None:
            began = time.monotonic()
            found.append(evaluate(base, dev, name=self.recipe.base))
            if base is self.encoder and not METHODS[self.recipe.method].from_nothing:
                self.dev_seconds = time.monotonic() - began
        return tuple(found)

    def _evaluator(self, dev: Dataset | RetrievalSet) -> str:
        return evaluator_for(dev, scores_pairs=METHODS[self.recipe.method].makes != "encoder")

    def _begin(self, before: tuple[Result, ...]) -> None:
        """Open the folder, now that nothing about the input can be wrong any more."""
        if self.is_open:
            return
        self.is_open = True
        self.tell.begin()
        if self.tell.plan_only:
            return
        resume, overwrite = self.existing == "resume", self.existing == "overwrite"
        open_run(self.folder, overwrite=overwrite, resume=resume)
        if overwrite:
            clear_run(self.folder)
        _write_start(self.folder, self.recipe, self.encoder, self.ready)
        done = steps_done(self.folder / "checkpoints") if resume else None
        self.observers.insert(0, MetricsFile(self.folder, keep_until=done))
        if before and done is None:
            for observer in self.observers:
                observer(_as_event(before[-1]))

    def _fit(self, before: tuple[Result, ...]) -> Fit[Any]:
        dev = self.ready.dev

        def measure(encoder: Any) -> Evaluated:
            if dev is None:
                raise ValueError("there is no dev data to measure on")
            return _as_event(self._measured(encoder, dev))

        return Fit(
            encoder=self.encoder,
            options=self.recipe.training,
            folder=self.folder / "checkpoints",
            evaluate=None if dev is None else measure,
            dev=dev,
            dev_tokens=_tokens_of(dev, self.encoder),
            dev_seconds=self.dev_seconds,
            probe_seconds=self.tell.probe_seconds,
            observers=self.observers,
            watchers=tuple(self.tell.observers),
            resume=self.existing == "resume",
            begin=lambda: self._begin(before),
            planned=self.tell.planned,
            announce=self.tell.plan,
            progress_shown=self.tell.progress,
            say=self.tell.note,
        )

    def _measured(self, model: Any, dev: Dataset | RetrievalSet) -> Result:
        """The dev data by the model; what the same weights reached before is not measured again."""
        weights = fingerprint_weights(model.module.state_dict())
        if weights not in self.measured:
            self.measured[weights] = evaluate(model, dev, name=TRAINED)
        return self.measured[weights]

    def _record(self, fit: Fit[Any], chosen: tuple[str, ...]) -> tuple[str, ...]:
        """Write what is known of data and training only now; all notes."""
        noted = (str(note) for note in self.ready.train.notes)
        notes = (*self.encoder.notes, *noted, *self.ready.notes, *fit.notes, *chosen)
        facts: dict[str, Any] = {"notes": notes}
        if fit.plan is not None:
            facts["cut"] = fit.plan.cut
            facts["distinct_texts"] = fit.plan.texts
        add_to_manifest(self.folder, facts)
        return notes

    def _rename(self) -> None:
        """The base model's card would describe another model: a new one is written."""
        has_base = not METHODS[self.recipe.method].from_nothing
        before, train = self.encoder.contents.trained_on, self.ready.train
        self.encoder.contents = replace(
            self.encoder.contents,
            card=None,
            base_model=hub_name(self.recipe.base) if has_base else None,
            trained_on=trained_later(
                before if has_base else None, sources=train.sources, rows=len(train)
            ),
            folder=self.folder / "model",
        )

    def _after(self, before: tuple[Result, ...]) -> Evaluation | None:
        dev = self.ready.dev
        kept = conclude_general(self.general_before, self.general.measure(self.encoder, TRAINED))
        evaluation = Evaluation(results=(), general=kept)
        if dev is not None and before:
            trained = self._measured(self.encoder, dev)
            evaluation = replace(conclude_run(before, [trained]), general=kept)
            drawn = diagnose(before[-1], trained, dev).to_json()
            write_json(self.folder / "report_data.json", drawn)
        elif kept is None:
            return None
        write_evaluation(evaluation, self.folder / "evaluation.json")
        return evaluation


def hub_name(base: str) -> str:
    """A model's name as the hub knows it, for a model card.

    >>> hub_name("minilm"), hub_name("hub:org/model")
    ('sentence-transformers/all-MiniLM-L6-v2', 'org/model')
    """
    return EMBEDDED.get(base, base.removeprefix("hub:"))


def _chosen(fit: Fit[Any]) -> tuple[str, ...]:
    """That the best weights were chosen by the very data that the verdict rests on."""
    at = fit.progress
    if at is None or at.best_step is None or fit.options.keep != "best" or at.best_step == at.step:
        return ()
    return (
        f"kept the weights of step {at.best_step:,} of {at.step:,}, the best on the dev data: "
        "their score on it is a little too high",
    )


def _write_start(
    folder: Path, recipe: Recipe, encoder: Encoder | CrossEncoder, ready: TrainAndDev
) -> None:
    (folder / "recipe.toml").write_text(recipe.to_toml(), encoding="utf-8")
    dev = ready.dev
    write_manifest(
        folder,
        files=[*ready.train.sources, *(dev.sources if dev is not None else ())],
        base=recipe.base,
        facts=_facts(recipe, encoder, ready),
    )


def _facts(recipe: Recipe, encoder: Encoder | CrossEncoder, ready: TrainAndDev) -> dict[str, Any]:
    """What the manifest says of seed, weights and rows before the first step."""
    dev = ready.dev
    return {
        "seed": recipe.training.seed,
        "base_sha256": fingerprint_weights(encoder.module.state_dict()),
        "train": {
            "kind": ready.train.kind,
            "rows": len(ready.train),
            "fingerprint": ready.train.fingerprint,
        },
        "dev": None
        if dev is None
        else {"kind": dev.kind, "rows": len(dev), "fingerprint": dev.fingerprint},
        "notes": [*(str(note) for note in ready.train.notes), *ready.notes],
    }


def _tokens_of(dev: Dataset | RetrievalSet | None, encoder: Encoder | CrossEncoder) -> int:
    if dev is None:
        return 0
    sample = dev.all_texts()[:1000]
    if isinstance(encoder, CrossEncoder):
        lengths = [len(ids) for ids in encoder.pairs.tokenize(sample)]
        return dev_tokens(dev, min(2 * float(np.mean(lengths)), encoder.max_tokens))
    found = audit(sample, encoder.tokenizer)
    return dev_tokens(dev, min(found.tokens / max(found.texts, 1), encoder.max_tokens))


def _as_event(result: Result) -> Evaluated:
    score = result.scores[result.primary]
    return Evaluated(
        step=0, metric=result.primary, value=score.value, low=score.low, high=score.high
    )
