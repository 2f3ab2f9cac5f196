"""Runs in stages: one folder, and in it an ordinary run for each, fed by an earlier one's model."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from likewise.data.dataset import Dataset, RetrievalSet
from likewise.errors import InputError
from likewise.evaluation.comparison import conclude_run
from likewise.evaluation.diagnosis import diagnose
from likewise.evaluation.evaluators import evaluate, evaluate_baseline, evaluator_for
from likewise.evaluation.result import Evaluation, Result
from likewise.evaluation.schema import write_evaluation
from likewise.methods.recipe import read_recipe
from likewise.methods.run import Existing, Run, Tell, hub_name, train
from likewise.methods.stage_check import Plan, Planned, in_stage, plan_stages
from likewise.methods.stage_recipe import (
    PREFIX,
    Stage,
    StagedRecipe,
    build_staged,
    refuse_changed_stages,
)
from likewise.methods.start import Start, start_model
from likewise.methods.table import METHODS
from likewise.methods.teachers import CosineScorer, load_teacher
from likewise.models.checkpoint_weights import fingerprint_weights
from likewise.models.cross_encoder import CrossEncoder
from likewise.models.encoder import Encoder
from likewise.training.run_folder import (
    add_to_manifest,
    clear_run,
    open_run,
    read_manifest,
    refuse_folder,
    refuse_other_run,
    write_json,
    write_manifest,
)

PLAIN, UNTOUCHED = "/plain", "/base"  # no stage can have such a name


def train_stages(
    recipe: Mapping[str, Any] | str | Path,
    *,
    out: str | Path,
    existing: Existing = "refuse",
    allow_leak: bool = False,
    tell: Tell | None = None,
    named: str = "the recipe",
) -> Run:
    """Train in stages that feed each other, and measure every one beside the untouched base.

    All data is read and checked before the first stage. Each stage is a run of its own in
    `out/1-NAME`, `out/2-NAME` and so on; `out/model` is the model of the last.

    Args:
        recipe: a TOML file with `[[stages]]`, or its tables.
        out: folder of the run.
        existing: what to do where `out` holds something; "resume" passes over the stages that
            are finished, and goes on within the one that was interrupted.
        allow_leak: measure although dev rows stand in the training data.
        tell: who is told of events, plans and notes.
        named: what errors call the recipe, where it is given as tables.

    Returns:
        The run; its evaluation has the base model and every stage, on the data named by `dev`.

    Raises:
        InputError: the recipe, the data or the folder is wrong; or of a begun stage, something
            changed.
        Interrupted: stopped by Ctrl-C or SIGTERM, with a checkpoint.
        NotFinite: the loss or a gradient is no longer a number.
    """
    where = str(recipe) if isinstance(recipe, str | Path) else named
    tables = read_recipe(Path(recipe)) if isinstance(recipe, str | Path) else recipe
    folder, tell = Path(out), tell or Tell()
    asked = build_staged(tables, where=where)
    planned = plan_stages(asked, folder, allow_leak=allow_leak, where=where)
    refuse_folder(folder, overwrite=existing == "overwrite", resume=existing == "resume")
    resolved = replace(asked, stages=tuple(one.stage for one in planned.stages))
    staged = _Staged(folder, resolved, planned, tell, existing=existing, allow_leak=allow_leak)
    if existing == "resume":
        staged.refuse_changed()
    return staged.go()


class _Staged:
    """The parts of a run in stages, in the order of `go`."""

    def __init__(
        self,
        folder: Path,
        recipe: StagedRecipe,
        plan: Plan,
        tell: Tell,
        *,
        existing: Existing,
        allow_leak: bool,
    ) -> None:
        self.folder = folder
        self.recipe = recipe
        self.plan = plan
        self.tell = tell
        self.existing = existing
        self.allow_leak = allow_leak
        self.is_open = False
        self.notes: list[str] = []
        self.results: dict[str, Result] = {}
        self.state: dict[str, dict[str, Any]] = {}
        if existing == "resume":
            began = read_manifest(folder)
            self.state, self.notes = began.get("stages", {}), began.get("notes", [])

    def refuse_changed(self) -> None:
        """Go on only where nothing changed that a finished or begun stage rests on."""
        begun = [name for name, one in self.state.items() if self._has_begun(one)]
        refuse_changed_stages(self.folder / "recipe.toml", self.recipe, begun)
        for planned in self.plan.stages:
            if self._is_finished(planned):
                with in_stage(planned.stage.name):
                    facts: dict[str, Any] = {"train": planned.trained_on}
                    if planned is self.plan.stages[0]:
                        model = self._untouched.model
                        facts["base_sha256"] = fingerprint_weights(model.module.state_dict())
                    refuse_other_run(planned.folder, facts)

    def go(self) -> Run:
        """Every stage in turn, then all of them side by side."""
        last: Run | None = None
        for number, planned in enumerate(self.plan.stages, start=1):
            stage = planned.stage
            if self._is_finished(planned):
                self.tell.note(f"stage {stage.name}: finished before, read from {planned.model}")
                continue
            of = f"{number} of {len(self.plan.stages)}"
            self.tell.note(f"stage {of}: {stage.name} ({stage.method}), from {stage.base}")
            with in_stage(stage.name):
                last = self._train(planned)
        self._begin()  # where every stage was finished before
        final = self.plan.stages[-1]
        model = last.model if last is not None else load_teacher(str(final.model))
        self._save(model, final)
        evaluation = self._evaluate()
        notes = tuple(dict.fromkeys(self.notes))  # what a resumed stage said again counts once
        add_to_manifest(self.folder, {"notes": notes})
        return Run(folder=self.folder, model=model, evaluation=evaluation, notes=notes)

    def _train(self, planned: Planned) -> Run:
        """One stage as a run of its own, which resumes wherever it was interrupted."""
        stage = planned.stage
        for note in planned.notes:
            self._note(f"stage {stage.name}: {note}")
        run = train(
            self._start_of(stage),
            planned.rows,
            method=stage.method,
            dev=planned.dev,
            out=planned.folder,
            existing="overwrite" if self.existing == "overwrite" else "resume",
            allow_leak=self.allow_leak,
            tell=replace(self.tell, begin=lambda: self._begin_stage(planned)),
            **stage.settings(self._models),
        )
        self.notes += [f"stage {stage.name}: {note}" for note in run.notes]
        self._keep(stage, run)
        self.state[stage.name] = {
            **self.state[stage.name],
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        add_to_manifest(self.folder, {"stages": self.state, "notes": self.notes})
        return run

    @cached_property
    def _models(self) -> dict[str, Path]:
        """Each stage's model, by a path that means the same from everywhere."""
        return {one.stage.name: one.model.resolve() for one in self.plan.stages}

    def _start_of(self, stage: Stage) -> str:
        """The name of the model that a stage starts from."""
        if stage.base.startswith(PREFIX):
            return str(self._models[stage.base.removeprefix(PREFIX)])
        return stage.base

    def _begin_stage(self, planned: Planned) -> None:
        """Open the folders, now that nothing about the stage's input can be wrong any more."""
        self._begin()
        name, folder = planned.stage.name, planned.folder.name
        self.state[name] = {"folder": folder, "method": planned.stage.method}
        add_to_manifest(self.folder, {"stages": self.state})

    def _begin(self) -> None:
        if self.is_open:
            return
        self.is_open = True
        overwrite = self.existing == "overwrite"
        open_run(self.folder, overwrite=overwrite, resume=self.existing == "resume")
        if overwrite:
            clear_run(self.folder)
        (self.folder / "recipe.toml").write_text(self.recipe.to_toml(), encoding="utf-8")
        facts = {"stages": self.state, "notes": self.notes}
        write_manifest(self.folder, files=self.plan.files, base=self.recipe.base, facts=facts)

    def _has_begun(self, state: Mapping[str, Any]) -> bool:
        return (self.folder / str(state["folder"]) / "manifest.json").is_file()

    def _is_finished(self, planned: Planned) -> bool:
        return "finished" in self.state.get(planned.stage.name, {}) and planned.model.is_dir()

    def _note(self, text: str) -> None:
        self.notes.append(text)
        self.tell.note(text)

    def _save(self, model: Encoder | CrossEncoder, final: Planned) -> None:
        """The last stage's model, whose card names the base of the whole run."""
        has_base = not METHODS[final.stage.method].from_nothing
        base = hub_name(self.recipe.base) if has_base else None
        model.contents = replace(model.contents, card=None, base_model=base)
        model.save(self.folder / "model", overwrite=True)

    @cached_property
    def _untouched(self) -> Start:
        """What the first stage starts from, as it was."""
        first = self.plan.stages[0]
        spec, options = METHODS[first.stage.method], first.stage.options
        seed = int(first.stage.training["seed"])
        return start_model(self.recipe.base, spec, first.rows, options=options, seed=seed)

    def _keep(self, stage: Stage, run: Run) -> None:
        """What a stage's own run measured on the data that all are measured on."""
        found = () if run.evaluation is None else run.evaluation.results
        common = self.plan.common
        if not found or common is None or found[-1].data != common.fingerprint:
            return
        self.results[stage.name] = replace(found[-1], model=stage.name)
        makes = METHODS[stage.method].makes
        if stage.base == self.recipe.base and makes == "encoder":
            self.results[UNTOUCHED] = found[-2]
            if len(found) > 2:
                self.results[PLAIN] = found[0]

    def _evaluate(self) -> Evaluation | None:
        """The base model and every stage on the same data, and the verdict on the last."""
        common = self.plan.common
        if common is None:
            self._note("no data is named that all stages are measured on: add dev to the recipe")
            return None
        base = self.results.get(UNTOUCHED) or self._measure_base(common)
        plain = self.results.get(PLAIN) or evaluate_baseline(common, evaluator=base.evaluator)
        stages = [self._result(planned, common, base) for planned in self.plan.stages]
        measured = [result for result in stages if result is not None]
        if not measured:
            return None
        evaluation = conclude_run([base] if plain is None else [plain, base], measured)
        write_evaluation(evaluation, self.folder / "evaluation.json")
        write_json(self.folder / "report_data.json", diagnose(base, measured[-1], common).to_json())
        return evaluation

    def _measure_base(self, common: Dataset | RetrievalSet) -> Result:
        base = self._untouched.base
        embeds = base.encoder if isinstance(base, CosineScorer) else base
        return evaluate(embeds, common, name=self.recipe.base)

    def _result(
        self, planned: Planned, common: Dataset | RetrievalSet, base: Result
    ) -> Result | None:
        """What a stage's model scores; None where it can do no more than score pairs."""
        name = planned.stage.name
        found = self.results.get(name)
        if found is None:
            model = load_teacher(str(planned.model))
            if isinstance(model, CrossEncoder) and not self._scores(common, base):
                return None
            found = evaluate(model, common, name=name)
        return found if found.evaluator == base.evaluator else None

    def _scores(self, common: Dataset | RetrievalSet, base: Result) -> bool:
        """Whether a model that scores pairs is measured on this data as one that embeds."""
        try:
            return evaluator_for(common, scores_pairs=True) == base.evaluator
        except InputError:
            return False
