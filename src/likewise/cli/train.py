"""`likewise train`: train a model on the user's data, and prove what it is worth."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from likewise.cli.console import answer, emit_json, program, say
from likewise.cli.options import as_paths, parse_range, parse_settings, with_fields
from likewise.cli.results import show_evaluation
from likewise.cli.watch import Watch
from likewise.data import read
from likewise.data.roles import parse_columns
from likewise.errors import InputError
from likewise.evaluation import to_json
from likewise.evaluation.result import Evaluation
from likewise.methods.recipe import build_recipe, read_recipe
from likewise.methods.run import Existing, Run
from likewise.methods.run import train as run_training
from likewise.methods.stages import train_stages
from likewise.models.cross_encoder import CrossEncoder
from likewise.report import write_report
from likewise.report.wording import cost_sentences, verdict_sentence
from likewise.training.options import TrainingOptions


@with_fields(TrainingOptions)
def train(
    *,
    data: Annotated[list[str] | None, typer.Argument(help="Files to train on.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the run.")] = Path("runs/latest"),
    base: Annotated[
        str | None,
        typer.Option(
            help="Model to start from: a folder, minilm, hub:ORG/NAME, static:FILE, or "
            "random weights: scratch:mini (4 layers, 256 wide), scratch:small (6, 384), "
            "scratch:base (12, 768), with :own behind it for a tokenizer of your texts."
        ),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            help="mnr, cosine, softmax, tsdae, simcse, contrastive-tension, gpl, mlm, word2vec, "
            "augmented, distillation, cross-encoder, or any loss by its name (likewise losses); "
            "auto chooses by the data."
        ),
    ] = None,
    dev: Annotated[
        str | None, typer.Option(help="Data to measure on; a tenth is held out where none.")
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option(help="TOML file with all of this, or with [[stages]].")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Option of the method, as in scale=30.")
    ] = None,
    kind: Annotated[str | None, typer.Option(help="Kind of the data, if it fits two.")] = None,
    columns: Annotated[
        list[str] | None, typer.Option(help="Bind columns: anchor=title,positive=body.")
    ] = None,
    score_range: Annotated[str | None, typer.Option(help="Possible scores, as in 0:5.")] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Skip and count bad rows.")] = False,
    allow_leak: Annotated[
        bool, typer.Option("--allow-leak", help="Measure although dev rows are trained on.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the newest good checkpoint in --out.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the run in --out.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the result only.")] = False,
    **settings: Any,
) -> None:
    """Train an embedding model, or a cross-encoder, on whatever the data has.

    Example: likewise train pairs.csv --base minilm --dev dev.csv --out runs/first
    """
    asked = ask(
        data=data,
        out=out,
        base=base,
        method=method,
        dev=dev,
        recipe=recipe,
        set_=set_,
        kind=kind,
        columns=columns,
        score_range=score_range,
        skip_bad=skip_bad,
        allow_leak=allow_leak,
        resume=resume,
        overwrite=overwrite,
        **settings,
    )
    with Watch(quiet=quiet, minutes=asked.minutes) as watch:
        make: Callable[..., Run] = train_stages if asked.has_stages else run_training
        run = make(**asked.arguments, tell=watch.tell())
    finish(run, json=json, quiet=quiet)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the options of a command line come to.

    Attributes:
        arguments: of `train`, or of `train_stages`.
        has_stages: which of the two.
        minutes: what the clock gives, if it decides.
    """

    arguments: dict[str, Any]
    has_stages: bool
    minutes: float | None = None


def ask(
    *,
    out: Path,
    data: list[str] | None = None,
    base: str | None = None,
    method: str | None = None,
    dev: str | None = None,
    recipe: Path | None = None,
    set_: list[str] | None = None,
    kind: str | None = None,
    columns: list[str] | None = None,
    score_range: str | None = None,
    skip_bad: bool = False,
    allow_leak: bool = False,
    resume: bool = False,
    overwrite: bool = False,
    **settings: Any,
) -> Asked:
    """Read the recipe and the data that options name; what the command line says wins.

    The arguments are the options of `train`, without those about printing.

    Raises:
        InputError: no data is named, or it is wrong; an option is about one stage of several.
    """
    tables = {} if recipe is None else read_recipe(recipe)
    existing: Existing = "resume" if resume else "overwrite" if overwrite else "refuse"
    common = {"out": out, "existing": existing, "allow_leak": allow_leak}
    if "stages" in tables:
        own: dict[str, Any] = {"DATA": data, "--method": method, "--set": set_, "--kind": kind}
        own |= {"--columns": columns, "--score-range": score_range, "--skip-bad": skip_bad}
        _refuse_flags(own, str(recipe))
        changed = _over_stages(tables, {"base": base, "dev": dev}, settings)
        return Asked(arguments={"recipe": changed, "named": str(recipe), **common}, has_stages=True)
    named = {"base": base, "method": method, "dev": dev, "data": data or None}
    tables |= {key: value for key, value in named.items() if value is not None}
    tables["training"] = {**tables.get("training", {}), **settings}
    tables["options"] = {**tables.get("options", {}), **parse_settings(set_ or [])}
    resolved = build_recipe(tables, where=str(recipe or "the command line"))
    if not resolved.data:
        raise InputError("no data is named", mend="likewise train pairs.csv")
    rows = read(
        as_paths(list(resolved.data)),
        kind=kind,
        columns=parse_columns(columns or []) or None,
        skip_bad=skip_bad,
        score_range=parse_range(score_range),
    )
    arguments = {
        "model": resolved.base,
        "data": rows,
        "method": resolved.method,
        "dev": None if resolved.dev is None else read(resolved.dev),
        **common,
        **tables["training"],
        **resolved.options,
    }
    return Asked(arguments=arguments, has_stages=False, minutes=resolved.training.minutes)


def _refuse_flags(given: dict[str, Any], recipe: str) -> None:
    """Of a recipe with stages, what each stage has to say for itself."""
    for flag, value in given.items():
        if value:
            problem = f"{flag} is about one stage, and {recipe} has several"
            raise InputError(problem, mend="write it in the recipe, below its [[stages]]")


def _over_stages(
    tables: dict[str, Any], named: dict[str, Any], settings: dict[str, Any]
) -> dict[str, Any]:
    """A recipe of stages, over which what the command line names wins, in every stage."""
    changed = {**tables, **{key: value for key, value in named.items() if value is not None}}
    if settings and isinstance(tables["stages"], list):
        changed["stages"] = [
            {**one, "training": {**one.get("training", {}), **settings}} for one in tables["stages"]
        ]
    return changed


def finish(run: Run, *, json: bool, quiet: bool) -> None:
    """Write the report and print what came of a run, and what to type next."""
    report = None if run.evaluation is None else write_report(run.folder)
    if json:
        emit_json(to_json(run.evaluation or Evaluation(results=())))
        return
    if run.evaluation is not None:
        show_evaluation(run.evaluation)
        if run.evaluation.general is not None:
            show_evaluation(run.evaluation.general)
        for sentence in (verdict_sentence(run.evaluation), *cost_sentences(run.evaluation)):
            answer(sentence)
    answer(f"model:  {run.folder / 'model'}")
    if report is not None:
        answer(f"report: {report}")
    scores = isinstance(run.model, CrossEncoder)
    files = "pairs.csv --out scores.npy" if scores else "texts.txt --out v.npy"
    say(f"next:   {program()} encode {run.folder / 'model'} {files}", quiet=quiet)
