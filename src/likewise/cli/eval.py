"""`likewise eval`: measure models on data, side by side."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from likewise.cli.console import answer, emit_json, say
from likewise.cli.results import show_evaluation
from likewise.data import read
from likewise.data.dataset import Dataset, RetrievalSet
from likewise.data.roles import parse_columns
from likewise.errors import InputError, Where
from likewise.evaluation import EVALUATORS, evaluate, evaluate_baseline, to_json, write_evaluation
from likewise.evaluation.comparison import conclude
from likewise.evaluation.evaluators import evaluator_for
from likewise.evaluation.mteb_bridge import MtebTask, evaluate_mteb, is_mteb, open_mteb
from likewise.evaluation.result import Evaluation, Result
from likewise.evaluation.statistics import RESAMPLES
from likewise.evaluation.tasks import task_name
from likewise.models import load, load_cross_encoder
from likewise.models.cross_encoder import is_cross_encoder
from likewise.models.source import refuse_missing
from likewise.report.wording import why_no_better


def eval_(
    models: Annotated[
        list[str],
        typer.Argument(
            help="Models: a folder, minilm, hub:ORG/NAME, static:FILE, mean:MODEL.",
            metavar="MODEL…",
        ),
    ],
    *,
    on: Annotated[
        list[str],
        typer.Option(
            help="Data to measure on, or mteb:TASK, or mteb:TASK=FOLDER for a task of MTEB on data "
            "that lies here; may be given several times."
        ),
    ],
    task: Annotated[
        str | None,
        typer.Option(
            help="Evaluator, where the data fits several: neighbours, clustering or "
            "classification; pairs, reranking, triplets or bitext."
        ),
    ] = None,
    train: Annotated[
        str | None, typer.Option(help="Labelled data to learn from, for classification.")
    ] = None,
    split: Annotated[str, typer.Option(help="Judgements of a BEIR folder.")] = "test",
    kind: Annotated[str | None, typer.Option(help="Kind of the files, if they fit two.")] = None,
    columns: Annotated[
        list[str] | None, typer.Option(help="Bind columns: anchor=title,positive=body.")
    ] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Skip and count bad rows.")] = False,
    baselines: Annotated[
        bool | None,
        typer.Option(
            "--baselines/--no-baselines",
            help="Measure BM25, TF-IDF or the majority too; by default on retrieval and pairs.",
        ),
    ] = None,
    precision: Annotated[str, typer.Option(help="auto, float32 or bfloat16.")] = "auto",
    resamples: Annotated[
        int, typer.Option(min=100, help="Bootstrap draws behind the intervals.")
    ] = RESAMPLES,
    seed: Annotated[int, typer.Option(min=0, help="Of those draws.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Keep the result: evaluation.json.")] = None,
    mteb_results: Annotated[
        Path | None, typer.Option(help="Folder for MTEB's own result files, of mteb:TASK.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file named by --out.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the result only.")] = False,
) -> None:
    """Measure models on data, with 95 % intervals and paired differences from the first model.

    Scored pairs are measured as similarity (Pearson and Spearman of the cosine), labelled pairs by
    average precision, labelled texts by the labels of their neighbours (with --task clustering
    by those of k-means' clusters, with --task classification by a linear classifier), a retrieval
    folder as retrieval (nDCG, recall, MRR, MAP), pairs as retrieval among their own positives
    (with --task triplets against their negatives, with --task bitext as translations). A
    cross-encoder puts what BM25 found in order, and is measured on NLI too. A task of MTEB is
    measured by mteb itself, and its main score stands in the table.

    Example: likewise eval minilm runs/first/model --on dev.csv --on scifact
    """
    _refuse_repeats("model", models, mend="name each model once")
    _refuse_existing(out, overwrite=overwrite)
    read_one = partial(_read, split=split, kind=kind, columns=columns, skip_bad=skip_bad)
    opened = [open_mteb(one, skip_bad=skip_bad) if is_mteb(one) else read_one(one) for one in on]
    options: dict[str, Any] = {} if train is None else {"train": read_one(train)}
    _refuse_repeats("data set", [_name(one) for one in opened], mend="rename one of the files")
    data = [one for one in opened if not isinstance(one, MtebTask)]
    crosses = {name: is_cross_encoder(name) for name in models}
    for one in data:
        for scores_pairs in set(crosses.values()):
            # before any model is loaded
            evaluator_for(one, task, scores_pairs=scores_pairs, options=options)
    for each in (*opened, *options.values()):
        for note in each.notes:
            say(f"{_name(each)}: {note}", quiet=quiet)
    for name in models:
        refuse_missing(name)  # all of them, before the first is measured
    results = []
    drawn: dict[str, Any] = {"resamples": resamples, "seed": seed}
    for name in models:
        model = load_cross_encoder(name) if crosses[name] else load(name)
        for each in opened:
            say(f"measuring {name} on {_name(each)}", quiet=quiet)
            how = {**drawn, "name": name, "precision": precision, "progress": not quiet}
            results.append(
                evaluate_mteb(model, each, results=mteb_results, **how)
                if isinstance(each, MtebTask)
                else evaluate(model, each, evaluator=task, **how, **options)
            )
    for one in data:
        chosen = evaluator_for(one, task, scores_pairs=all(crosses.values()))
        if baselines or (baselines is None and EVALUATORS[chosen].baseline_shown):
            plain = evaluate_baseline(one, evaluator=chosen, **drawn, **options)
            results += [] if plain is None else [plain]
    _finish(conclude(results, against=models[0], subject=models[-1]), models, out, json=json)


def _name(opened: Dataset | RetrievalSet | MtebTask) -> str:
    return opened.name if isinstance(opened, MtebTask) else task_name(opened)


def _read(
    source: str, *, split: str, kind: str | None, columns: Sequence[str] | None, skip_bad: bool
) -> Dataset | RetrievalSet:
    is_folder = not source.startswith("hub:") and Path(source).is_dir()
    return read(
        source,
        kind=None if is_folder else kind,
        columns=None if is_folder else parse_columns(columns or ()) or None,
        skip_bad=skip_bad,
        split=split,
    )


def _refuse_repeats(what: str, names: Sequence[str], *, mend: str) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise InputError(f'the {what} "{name}" is given {times} times', mend=mend)


def _refuse_existing(out: Path | None, *, overwrite: bool) -> None:
    if out is None:
        return
    where = Where(path=str(out))
    if out.exists() and not (overwrite and out.is_file()):
        mend = "name another --out" + (", or add --overwrite" if out.is_file() else "")
        raise InputError("exists already", mend=mend, where=where)
    if not out.parent.is_dir():
        mend = f"mkdir -p {out.parent}"
        raise InputError("its folder does not exist", mend=mend, where=where)


def _finish(evaluation: Evaluation, models: Sequence[str], out: Path | None, *, json: bool) -> None:
    if out is not None:
        write_evaluation(evaluation, out)
    if json:
        emit_json(to_json(evaluation))
        return
    show_evaluation(evaluation)
    if evaluation.verdict is not None:
        answer(_verdict(evaluation, models))
    if out is not None:
        answer(f"kept in {out}")


def _verdict(evaluation: Evaluation, models: Sequence[str]) -> str:
    compared = {difference.task for difference in evaluation.differences}
    leads: dict[str, Result] = {
        result.task: result for result in evaluation.results if result.task in compared
    }
    where = ", ".join(f"{lead.primary} of {task}" for task, lead in leads.items())
    judged = [
        difference
        for difference in evaluation.differences
        if (difference.model, difference.against) == (models[-1], models[0])
        and difference.metric == leads[difference.task].primary
    ]
    tail = ""
    if evaluation.verdict == "no better":
        several = len(judged) > 1
        reasons = [
            f"on {one.task} {why_no_better(one)}" if several else why_no_better(one)
            for one in judged
        ]
        tail = f": {'; '.join(reasons)}"
    elif any(one.p_holm is not None for one in judged):
        tail = ", with p-values corrected for all comparisons shown"
    return f"Verdict: {models[-1]} is {evaluation.verdict} than {models[0]} by {where}{tail}."
