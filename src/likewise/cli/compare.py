"""`likewise compare`: several set-ups on the same data, in one table."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from likewise.cli.console import answer, emit_json, say, show_table
from likewise.cli.watch import Watch
from likewise.comparison.chapter import MINILM, QUICK_ROWS, chapter_rows
from likewise.comparison.chapter import NAME as CHAPTER
from likewise.comparison.rows import Job, read_rows
from likewise.comparison.run import compare_rows
from likewise.comparison.table import Comparison, to_json
from likewise.errors import InputError
from likewise.evaluation.result import Difference, Result
from likewise.report.comparison_page import write_comparison_page
from likewise.report.wording import CORRECTED, duration, why_no_better

UNITS = {"s": 1 / 60, "m": 1.0, "h": 60.0}
SHOWN_METRICS = 2


def compare(
    recipes: Annotated[
        list[str],
        typer.Argument(
            help='Recipes, as for train --recipe; or "chapter" alone: its set-ups on your data.',
            metavar="RECIPE…",
        ),
    ],
    *,
    out: Annotated[Path, typer.Option(help="Folder of the comparison.")] = Path("runs/compare"),
    dev: Annotated[
        str | None, typer.Option(help="Measure all on this, not on what the recipes name.")
    ] = None,
    base: Annotated[str | None, typer.Option(help="Start all from this model, likewise.")] = None,
    nli: Annotated[str | None, typer.Option(help="With chapter: NLI rows to train on.")] = None,
    sts: Annotated[
        str | None, typer.Option(help="With chapter: scored pairs to measure on.")
    ] = None,
    rows: Annotated[
        int | None, typer.Option(min=1, help="With chapter: so many NLI rows, drawn at random.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help=f"With chapter: {QUICK_ROWS:,} rows.")
    ] = False,
    vectors: Annotated[
        str | None, typer.Option(help="With chapter: word vectors, for a row of their means.")
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(min=1e-9, max=1.0, help="With chapter: of what starts from --base."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each recipe.")] = 1,
    budget: Annotated[
        str | None, typer.Option(help="Time for all runs together: 90s, 30m, 2h.")
    ] = None,
    allow_leak: Annotated[
        bool, typer.Option("--allow-leak", help="Measure although dev rows are trained on.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Make anew the rows that changed.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the result only.")] = False,
) -> None:
    """Train several set-ups, each with every seed, and say which is better and by how much.

    Every run has a process of its own. What finished before is not run again; what was
    interrupted goes on. The first recipe is what the others are judged against.

    `likewise compare chapter --nli nli.csv --sts sts.csv` is the table of the chapter "Creating
    Text Embedding Models" of Hands-On Large Language Models on your own data.

    Example: likewise compare cosine.toml mnr.toml --dev stsb-dev.csv --seeds 3
    """
    minutes = None if budget is None else parse_budget(budget)
    own: dict[str, object] = {"--nli": nli, "--sts": sts, "--rows": rows, "--quick": quick}
    own |= {"--vectors": vectors, "--learning-rate": learning_rate}
    if recipes == [CHAPTER]:
        refuse_incomplete(nli=nli, sts=sts, dev=dev)
        chosen = chapter_rows(
            str(nli),
            str(sts),
            base=base or MINILM,
            rows=rows,
            quick=quick,
            vectors=vectors,
            learning_rate=learning_rate,
        )
    else:
        refuse_chapter_options(own)
        chosen = read_rows(recipes, dev=dev, base=base)

    def begin(job: Job, number: int, count: int) -> None:
        say(f"run {number} of {count}: {job.row.name}, seed {job.seed}", quiet=quiet)

    with Watch(quiet=quiet) as watch:
        found = compare_rows(
            chosen,
            out=out,
            seeds=seeds,
            minutes=minutes,
            allow_leak=allow_leak,
            overwrite=overwrite,
            tell=watch.tell(),
            begin=begin,
        )
    page = write_comparison_page(found, out / "comparison.html")
    if json:
        emit_json(to_json(found))
    else:
        show_comparison(found)
        answer(f"report: {page}")
    if any(line.problem for line in found.lines):
        raise typer.Exit(1)


def refuse_incomplete(*, nli: str | None, sts: str | None, dev: str | None) -> None:
    """Refuse the chapter without its data, or with the option that is for recipes."""
    if nli is None or sts is None:
        missing = "--nli" if nli is None else "--sts"
        mend = "likewise compare chapter --nli nli.csv --sts sts.csv"
        raise InputError(f"the chapter needs {missing} FILE", mend=mend)
    if dev is not None:
        problem = "--dev is for recipes: the chapter is measured on --sts"
        raise InputError(problem, mend="leave out --dev")


def refuse_chapter_options(given: Mapping[str, object]) -> None:
    """Refuse options of the chapter beside recipes."""
    for flag, value in given.items():
        if value:
            problem = f'{flag} goes with "chapter" alone'
            raise InputError(problem, mend=f"leave out {flag}, or: likewise compare chapter …")


def parse_budget(text: str) -> float:
    """Minutes of "90s", "30m", "1.5h" or a bare number of minutes.

    Raises:
        InputError: it is none of these, or nothing.

    >>> parse_budget("90s"), parse_budget("2h"), parse_budget("30")
    (1.5, 120.0, 30.0)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*", text)
    if found is None or not float(found[1]):
        raise InputError(f'--budget: expected a time, found "{text}"', mend="as in 90s, 30m or 2h")
    return float(found[1]) * UNITS[found[2] or "m"]


def show_comparison(comparison: Comparison) -> None:
    """Print the table: what each row cost, what it reached, and what that is worth."""
    results = comparison.evaluation.results
    if results:
        metrics = list(results[-1].scores)[:SHOWN_METRICS]
        title = f"{results[-1].task}, {results[-1].n:,} items, 95 % intervals"
    else:
        metrics, title = [], "Nothing was measured"
    has_reference = any(line.reference for line in comparison.lines)
    columns = ["row", "labels", "rows", "time", *metrics, "from its base", "from the row above"]
    columns += ["from the first row", *(["elsewhere"] if has_reference else [])]
    names = {line.name for line in comparison.lines}
    table = [
        [r.model, "", "", "", *_scores(r, metrics), "", "", "", *([""] if has_reference else [])]
        for r in results
        if r.model not in names
    ]
    for line in comparison.lines:
        result = comparison.result(line.name)
        verdict = comparison.verdict_of(line.name)
        first = _difference(comparison.against_first.get(line.name))
        cells = [
            line.name,
            f"{line.labels:,}",
            f"{line.rows:,}",
            duration(line.seconds),
            *_scores(result, metrics),
            _difference(comparison.against_base.get(line.name)),
            _difference(comparison.against_above.get(line.name)),
            f"{first} {verdict}" if first and verdict else first,
            *([line.reference] if has_reference else []),
        ]
        table.append(cells)
    show_table(title, columns, table)
    if comparison.is_corrected:
        answer(CORRECTED)
    for line in comparison.lines:
        judged = comparison.judged(line.name)
        if judged is not None and (reason := why_no_better(judged)):
            answer(f"{line.name}: no better than {judged.against}: {reason}")
        if line.problem:
            answer(f"{line.name}: {line.problem}")


def _scores(result: Result | None, metrics: list[str]) -> list[str]:
    if result is None:
        return ["—"] * len(metrics)
    found = (result.scores.get(metric) for metric in metrics)
    return ["" if s is None else f"{s.value:.3f} ({s.low:.3f}–{s.high:.3f})" for s in found]


def _difference(difference: Difference | None) -> str:
    if difference is None:
        return ""
    return f"{difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})"
