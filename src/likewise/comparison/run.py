"""Run every row of a comparison, go on where it stopped, and lay out the table."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from likewise.comparison.rows import Job, Row, plan_jobs
from likewise.comparison.table import Comparison, Line, lay_out, write_comparison
from likewise.comparison.worker import Order, Outcome, run_order
from likewise.errors import InputError, Interrupted, Where
from likewise.evaluation.result import Result
from likewise.evaluation.result_file import read_result, write_result
from likewise.evaluation.seeds import combine_seeds
from likewise.methods.run import Tell
from likewise.training.run_folder import write_json

FILE = "comparison.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """What is known of a job that ended: its results by name, its time, why it failed."""

    results: tuple[Result, ...]
    seconds: float
    problem: str


def compare_rows(
    rows: Sequence[Row],
    *,
    out: str | Path,
    seeds: int = 1,
    minutes: float | None = None,
    allow_leak: bool = False,
    overwrite: bool = False,
    tell: Tell | None = None,
    begin: Callable[[Job, int, int], None] = lambda *_: None,
) -> Comparison:
    """Train and measure every row with every seed, each in a process of its own.

    Everything is read and checked before the first. A run that finished before, of the same
    recipe, data and base model, is taken as it is; one that was interrupted goes on. A row that
    fails does not stop the others.

    Args:
        rows: in the order of the table.
        out: folder of the comparison: a folder for each row, and `comparison.json`, which is
            written anew after each run.
        seeds: runs of each row.
        minutes: of all runs together, shared evenly.
        allow_leak: measure although dev rows stand in the training data.
        overwrite: make anew a row whose recipe, data or base changed.
        tell: who is told of events, plans and notes.
        begin: called with a job, its number and how many there are, before it runs.

    Raises:
        InputError: a row is wrong, rows are measured on different data, or of a row in `out`
            something changed; nothing was written.
        Interrupted: stopped by Ctrl-C or SIGTERM; the same call goes on.
    """
    folder, tell = Path(out), tell or Tell()
    _refuse_folder(folder)
    jobs = plan_jobs(rows, folder, seeds=seeds, minutes=minutes, allow_leak=allow_leak)
    stale = [job for job in jobs if _state(job).get("identity", job.identity) != job.identity]
    if stale and not overwrite:
        problem = f'the row "{stale[0].row.name}" was begun with another recipe, data or base model'
        mend = "--overwrite makes such rows anew; or put back what changed, or choose another --out"
        raise InputError(problem, where=Where(path=str(stale[0].folder)), mend=mend)
    folder.mkdir(parents=True, exist_ok=True)
    done: dict[str, list[_Done]] = {}
    table = _table(rows, jobs, done)
    write_comparison(table, folder / FILE)
    for number, job in enumerate(jobs, start=1):
        kept = _finished(job)
        if kept is None:
            begin(job, number, len(jobs))
        else:
            tell.note(f"{job.row.name}, seed {job.seed}: finished before")
        found = kept or _run(job, tell, allow_leak=allow_leak, anew=job in stale)
        done.setdefault(job.row.name, []).append(found)
        if kept is None or number == len(jobs):  # its tests take seconds
            table = _table(rows, jobs, done)
            write_comparison(table, folder / FILE)
    return table


def _run(job: Job, tell: Tell, *, allow_leak: bool, anew: bool) -> _Done:
    """One run, in a process of its own; what came of it is kept."""
    state = {} if anew else _state(job)
    before = float(state.get("seconds", 0.0))
    _keep(job, {"identity": job.identity, "state": "begun", "seconds": before})
    has_run = (job.folder / "manifest.json").is_file()
    order = Order(
        recipe=job.recipe.to_tables(),
        folder=job.folder,
        existing="refuse" if not has_run else "overwrite" if anew else "resume",
        allow_leak=allow_leak,
        named=job.row.where,
        probe_seconds=tell.probe_seconds,
        progress=tell.progress,
    )
    outcome = run_order(order, tell)
    seconds = before + outcome.seconds
    facts = {"identity": job.identity, "state": outcome.state, "seconds": seconds}
    if outcome.state == "interrupted":
        _keep(job, facts)
        saved = str(job.folder) if outcome.step else ""
        raise Interrupted(saved, step=outcome.step, again="the same command")
    if outcome.state == "failed":
        _keep(job, {**facts, "problem": outcome.problem})
        return _Done(results=(), seconds=seconds, problem=outcome.problem)
    kept, problem = _named(job, outcome)
    for i, result in enumerate(kept):
        write_result(result, _beside(job, f"-{i}.npz"))
    _keep(job, {**facts, "results": len(kept), "problem": problem})
    return _Done(results=kept, seconds=seconds, problem=problem)


def _named(job: Job, outcome: Outcome) -> tuple[tuple[Result, ...], str]:
    """What was measured without training, then the last stage under the name of the row."""
    if not job.recipe.stages:
        return tuple(replace(result, model=job.row.name) for result in outcome.results), ""
    stages = {stage.name for stage in job.recipe.stages}
    untouched = tuple(result for result in outcome.results if result.model not in stages)
    last = job.recipe.stages[-1].name
    own = [replace(r, model=job.row.name) for r in outcome.results if r.model == last]
    problem = "" if own else "what its last stage makes has no score on this data"
    return (*untouched, *own), problem


def _finished(job: Job) -> _Done | None:
    """What an earlier call made of the same job; None where there is something to do."""
    state = _state(job)
    if state.get("state") != "finished" or state.get("identity") != job.identity:
        return None
    try:
        paths = [_beside(job, f"-{i}.npz") for i in range(int(state["results"]))]
        results = tuple(read_result(path) for path in paths)
    except InputError:
        return None  # measured again: the run itself goes on from where it ended
    problem = str(state.get("problem", ""))
    return _Done(results=results, seconds=float(state["seconds"]), problem=problem)


def _table(
    rows: Sequence[Row], jobs: Sequence[Job], done: Mapping[str, Sequence[_Done]]
) -> Comparison:
    """The table as far as it is known."""
    lines, measured = [], {}
    others: dict[str, Result] = {}
    for row in rows:
        own = [job for job in jobs if job.row is row]
        ended = done.get(row.name, ())
        scored = [[r for r in one.results if r.model == row.name] for one in ended]
        kept = [found[0] for found in scored if found]
        problems = dict.fromkeys(one.problem for one in ended if one.problem)
        lines.append(
            Line(
                name=row.name,
                base=row.recipe.base,
                labels=own[0].labels,
                rows=own[0].rows,
                seeds=len(kept),
                seconds=sum(one.seconds for one in ended) / max(len(ended), 1),
                problem="; ".join(problems) if ended else "has not run yet",
                reference=row.reference,
            )
        )
        if kept:
            measured[row.name] = combine_seeds(kept)
        others |= {r.model: r for one in ended for r in one.results if r.model != row.name}
    return lay_out(lines, measured, tuple(others.values()))


def _beside(job: Job, ending: str) -> Path:
    """A file about a run, beside its folder, which is the run's alone."""
    return job.folder.with_name(job.folder.name + ending)


def _state(job: Job) -> dict[str, Any]:
    """What is known of a job; nothing where it was never begun, or its file is damaged."""
    try:
        found: dict[str, Any] = json.loads(_beside(job, ".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def _keep(job: Job, facts: Mapping[str, Any]) -> None:
    path = _beside(job, ".json")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, facts)


def _refuse_folder(folder: Path) -> None:
    """Refuse a folder that holds something else; writes nothing."""
    holds = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    if holds and not (folder / FILE).is_file():
        mend = "choose another --out: only a folder that holds a comparison is gone on with"
        raise InputError("is no comparison of Likewise", where=Where(path=str(folder)), mend=mend)
