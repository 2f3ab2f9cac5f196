"""The report: one HTML page from the files of a run, or of several."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from markupsafe import Markup

from likewise.evaluation.diagnosis import RetrievalError
from likewise.evaluation.result import Difference, Evaluation, Result, Score
from likewise.report import facts
from likewise.report.charts import Point, interval_chart, line_chart, ridge_chart
from likewise.report.environment import build_environment, own_version, write_whole
from likewise.report.record import RunRecord, read_run
from likewise.report.wording import (
    cost_sentences,
    leading_difference,
    metric_name,
    verdict_sentence,
)

SECTIONS = (
    ("scores", "Scores"),
    ("training", "Training"),
    ("similarity", "Similarity"),
    ("errors", "Worst errors"),
    ("data", "Data"),
    ("made", "How it was made"),
)
TONES = {"better": "better", "worse": "worse"}
ITEMS = {"retrieval": "queries", "similarity": "pairs"}
SHOWN_CHARACTERS = 400  # of a text among the worst errors
SHOWN_LINES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """The table of one task: metrics down, models across."""

    name: str
    n: int
    items: str
    results: tuple[Result, ...]
    metrics: tuple[str, ...]
    is_timed: bool
    chart_title: str
    chart: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """All that the template shows of one run."""

    id: str
    run: RunRecord
    verdict: str
    tone: str
    task: str
    metric: str
    leading: Score | None
    difference: Difference | None
    tasks: list[TaskView]
    costs: list[str]
    general: list[TaskView]
    curves: list[tuple[str, Markup]]
    ridges: list[tuple[str, Markup]]
    errors: list[dict[str, Any]]
    training: facts.Facts
    data: facts.Facts
    files: facts.Facts
    notes: list[str]
    made: facts.Facts
    machine: facts.Facts


def write_report(run_folder: Path) -> Path:
    """Read a run folder and write its `report.html`.

    Args:
        run_folder: with `evaluation.json`, and what else a run keeps.

    Returns:
        The page's path.

    Raises:
        InputError: the folder is no finished run, or one of its files is damaged.
    """
    return write_page([run_folder], run_folder / "report.html")


def write_page(run_folders: Sequence[Path], out: Path) -> Path:
    """Read several run folders and write one page about them all.

    Args:
        run_folders: one at least.
        out: the page; replaced if it is there.

    Returns:
        `out`.

    Raises:
        InputError: a folder is no finished run, or one of its files is damaged.
    """
    runs = [read_run(folder) for folder in run_folders]
    names = [run.name for run in runs]
    page = render(
        [
            replace(run, name=str(folder)) if names.count(run.name) > 1 else run
            for run, folder in zip(runs, run_folders, strict=True)
        ]
    )
    return write_whole(page, out)


def render(runs: Sequence[RunRecord]) -> str:
    """One self-contained HTML page: no script, nothing fetched, every text escaped.

    Args:
        runs: one at least; with several, a table of them all comes first.
    """
    name = runs[0].name if len(runs) == 1 else f"{len(runs)} runs"
    return (
        build_environment(clip=clip)
        .get_template("report.html.j2")
        .render(
            title=f"Likewise report: {name}",
            views=[_view(run, f"r{i}") for i, run in enumerate(runs, start=1)],
            sections=SECTIONS,
            version=own_version(),
        )
    )


def clip(text: str) -> str:
    """A text that is not too long to show, or its start and how much was left out.

    >>> clip("short")
    'short'
    """
    shown = "\n".join(text.split("\n")[:SHOWN_LINES])[:SHOWN_CHARACTERS]
    left = len(text) - len(shown)
    return text if left == 0 else f"{shown}… ({left:,} more characters)"


def _view(run: RunRecord, name: str) -> RunView:
    last = run.evaluation.results[-1] if run.evaluation.results else None
    return RunView(
        id=name,
        run=run,
        verdict=verdict_sentence(run.evaluation),
        tone=TONES.get(run.evaluation.verdict or "", "even"),
        task=last.task if last else "",
        metric=metric_name(last.primary) if last else "",
        leading=last.scores[last.primary] if last else None,
        difference=leading_difference(run.evaluation),
        tasks=_tasks(run.evaluation),
        costs=cost_sentences(run.evaluation),
        general=_tasks(run.evaluation.general) if run.evaluation.general else [],
        curves=_curves(run),
        ridges=_ridges(run),
        errors=_errors(run),
        training=facts.training_facts(run),
        data=facts.data_facts(run),
        files=facts.data_files(run),
        notes=facts.notes(run),
        made=facts.made_facts(run),
        machine=facts.machine_facts(run),
    )


def _tasks(evaluation: Evaluation) -> list[TaskView]:
    views = []
    for task in dict.fromkeys(result.task for result in evaluation.results):
        results = tuple(result for result in evaluation.results if result.task == task)
        primary = results[-1].primary
        rows = [(r.model, _dot(r.scores[primary])) for r in results if primary in r.scores]
        title = f"{metric_name(primary)} with 95 % intervals"
        views.append(
            TaskView(
                name=task,
                n=results[-1].n,
                items=ITEMS.get(results[-1].evaluator, "items"),
                results=results,
                metrics=tuple(dict.fromkeys(m for result in results for m in result.scores)),
                is_timed=any(result.texts_per_second for result in results),
                chart_title=title,
                chart=interval_chart(rows, title=f"{title} on {task}"),
            )
        )
    return views


def _dot(score: Score) -> Point:
    return Point(x=score.value, y=0.0, low=score.low, high=score.high)


def _curves(run: RunRecord) -> list[tuple[str, Markup]]:
    curves = []
    if run.steps:
        loss = [Point(x=step.step, y=step.loss) for step in run.steps]
        drawn = line_chart(loss, title="Training loss", x_name="step", smooth=True)
        curves.append(("Training loss", drawn))
    for metric in dict.fromkeys(event.metric for event in run.evaluated):
        points = [
            Point(x=event.step, y=event.value, low=event.low, high=event.high)
            for event in run.evaluated
            if event.metric == metric
        ]
        title = f"{metric_name(metric)} on the dev data"
        curves.append((title, line_chart(points, title=title, x_name="step")))
    return curves


def _ridges(run: RunRecord) -> list[tuple[str, Markup]]:
    if run.diagnosis is None:
        return []
    sides = {"Before": run.diagnosis.before, "After": run.diagnosis.after}
    values = [v for groups in sides.values() for group in groups.values() for v in group]
    if not values:
        return []
    ends = {"low": min(values), "high": max(values)}
    return [
        (
            side,
            ridge_chart({k: v for k, v in groups.items() if v}, title=f"{side} training", **ends),
        )
        for side, groups in sides.items()
    ]


def _errors(run: RunRecord) -> list[dict[str, Any]]:
    errors = run.diagnosis.errors if run.diagnosis else ()
    kinds = ("retrieval" if isinstance(error, RetrievalError) else "similarity" for error in errors)
    return [{"kind": kind, **asdict(e)} for kind, e in zip(kinds, errors, strict=True)]
