"""Tasks of MTEB by their name: opened, measured by `mteb.evaluate`, their score as a Result."""

import difflib
import logging
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy, deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likewise.errors import InputError, LikewiseError
from likewise.evaluation.mteb_local import load_local
from likewise.evaluation.result import Result, Score
from likewise.evaluation.statistics import RESAMPLES, bootstrap, mean_of, score
from likewise.extras import require
from likewise.models.mteb_meta import mteb_tasks

PREFIX = "mteb:"
BATCH = 512  # texts that mteb hands over at a time; we batch by tokens ourselves


@dataclass(frozen=True, slots=True, kw_only=True)
class MtebTask:
    """A task of MTEB with its data.

    Attributes:
        name: as the user wrote it, without the folder.
        task: of MTEB, loaded.
        n: rows, or queries, that are measured.
        notes: what opening decided.
    """

    name: str
    task: Any
    n: int
    notes: tuple[str, ...] = ()


def is_mteb(source: str) -> bool:
    """Whether a source of data is "mteb:TASK" or "mteb:TASK=FOLDER"."""
    return source.startswith(PREFIX)


def open_mteb(source: str, *, skip_bad: bool = False) -> MtebTask:
    """Find a task and load its data, from the hub or from here.

    Args:
        source: "mteb:TASK", or "mteb:TASK=FOLDER" for local data, as `load_local` takes it.
        skip_bad: bad rows of local data are skipped and counted.

    Raises:
        InputError: there is no such task, or its data cannot be had.
        MissingExtra: mteb is not installed.
    """
    name, _, path = source.removeprefix(PREFIX).partition("=")
    with _quiet():
        task = _task(name)
        notes = () if not path else load_local(task, Path(path).expanduser(), skip_bad=skip_bad)
        if not path:
            _download(task, name)
    return MtebTask(
        name=f"{PREFIX}{name}", task=task, n=_count(task), notes=(*_standing(task), *notes)
    )


def evaluate_mteb(
    model: Any,
    opened: MtebTask,
    *,
    name: str,
    precision: str = "auto",
    results: Path | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: bool = False,
) -> Result:
    """Measure a model on a task with `mteb.evaluate`.

    Args:
        model: an `Encoder` or a `CrossEncoder`, or anything that `mteb.evaluate` takes.
        opened: by `open_mteb`; its data stays for the next model.
        name: of the model, for tables.
        precision: "bfloat16", or "auto" and "float32" for float32: MTEB's scores are compared.
        results: folder for MTEB's own files, `results/MODEL/REVISION/TASK.json` beneath it; an
            older file of the same model, revision and task is replaced. None writes none.
        resamples: bootstrap draws behind the interval, where there is one.
        seed: of those draws.
        progress: show bars.

    Returns:
        MTEB's main score, the mean over splits and languages. With an interval over its repeats,
        where the task has some; without (NaN) where MTEB gives one score. A note says which.

    Raises:
        InputError: the task does not take this kind of model.
        LikewiseError: MTEB failed.
    """
    options: dict[str, Any] = {"batch_size": BATCH, "show_progress_bar": progress}
    if precision == "bfloat16":
        options["precision"] = precision
    with _quiet():
        found = _measured(model, opened, results, options)
        trained = _trained_on_it(model, opened)
    metric = str(opened.task.metadata.main_score)
    entries = [entry for split in found.scores.values() for entry in split]
    value = float(np.mean([entry["main_score"] for entry in entries]))
    repeats = [_repeats(entry, metric) for entry in entries]
    scores, draws, how = _with_interval(value, metric, repeats, opened.n, resamples, seed)
    return Result(
        task=opened.name,
        evaluator="mteb",
        primary=metric,
        scores=scores,
        draws=draws,
        n=opened.n,
        model=name,
        data=f"{opened.name} {found.dataset_revision}",
        seed=seed,
        notes=(f"{opened.name}: {how}", *trained),
    )


def _measured(model: Any, opened: MtebTask, results: Path | None, options: Any) -> Any:
    """The `TaskResult`, or what went wrong as an error of ours."""
    mteb = require("mteb", extra="mteb")
    try:
        (found,) = mteb.evaluate(
            model,
            _as_opened(opened.task),
            cache=None if results is None else mteb.ResultCache(results),
            overwrite_strategy="always",
            encode_kwargs=options,
            co2_tracker=False,
            show_progress_bar=False,
        ).task_results
    except LikewiseError:
        raise
    except TypeError as error:
        problem = f"{opened.name} does not take this model: {error}"
        mend = "give an embedding model; cross-encoders take tasks of reranking"
        raise InputError(problem, mend=mend) from error
    except Exception as error:  # the package lets errors of many libraries through
        what = f"{type(error).__name__}: {error}"
        raise LikewiseError(f"mteb failed on {opened.name}: {what}") from error
    return found


def _task(name: str) -> Any:
    mteb = require("mteb", extra="mteb")
    try:
        return mteb.get_task(name)
    except KeyError as error:
        near = difflib.get_close_matches(name, mteb_tasks(), n=3)
        mend = f"did you mean {' or '.join(near)}?" if near else "mteb.get_tasks() lists them all"
        raise InputError(f'MTEB has no task "{name}"', mend=mend) from error


def _download(task: Any, name: str) -> None:
    try:
        task.load_data()
    except Exception as error:  # the package lets errors of many libraries through
        first = (str(error).splitlines() or [type(error).__name__])[0]
        path = task.metadata.dataset.get("path")
        problem = f"the data of {PREFIX}{name} ({path} on the hub) cannot be had: {first}"
        mend = f"go online once, or give a folder with a file a split: {PREFIX}{name}=FOLDER"
        raise InputError(problem, mend=mend) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without mteb's own warnings and log lines among ours: notes say what matters."""
    logger, silent = logging.getLogger("mteb"), logging.NullHandler()
    logger.addHandler(silent)  # else Python prints what no handler takes
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.removeHandler(silent)


def _standing(task: Any) -> tuple[str, ...]:
    """What MTEB says of the task itself."""
    newer, is_beta = task.superseded_by, getattr(task.metadata, "is_beta", False)
    return (
        *((f"MTEB has a newer version of this task, {newer}",) if newer else ()),
        *(("MTEB calls this task beta: its data may still change",) if is_beta else ()),
    )


def _as_opened(task: Any) -> Any:
    """The task with its generators as they were: every model gets the same draws."""
    fresh = copy(task)
    for name in ("rng_state", "np_rng"):
        if hasattr(task, name):
            setattr(fresh, name, deepcopy(getattr(task, name)))
    return fresh


def _count(task: Any) -> int:
    """Rows of the splits to be measured; queries of a retrieval task."""
    if hasattr(task, "convert_v1_dataset_format_to_v2"):
        task.convert_v1_dataset_format_to_v2(num_proc=None)
    n = 0
    for subset in task.hf_subsets:
        splits = task.dataset.get(subset, task.dataset)
        for split in task.eval_splits:
            rows = splits[split]
            n += len(rows["queries"] if isinstance(rows, dict) and "queries" in rows else rows)
    return n


def _trained_on_it(model: Any, opened: MtebTask) -> tuple[str, ...]:
    """MTEB's flag of contamination, in words."""
    if model.mteb_model_meta.is_zero_shot_on([opened.task]) is not False:
        return ()
    return (
        f"{model.mteb_model_meta.name} was trained on data of {opened.name}, as its card or MTEB "
        "says: the score tells little about texts that it has not seen",
    )


def _repeats(entry: Mapping[str, Any], metric: str) -> tuple[str, NDArray[np.float64]] | None:
    """What MTEB repeated, and the metric of each repeat: [k], or [levels, k]."""
    experiments = entry.get("scores_per_experiment")
    if experiments and metric in experiments[0]:
        return "draws of texts to learn from", np.array([[one[metric] for one in experiments]])
    measures = entry.get("v_measures") if metric == "v_measure" else None
    if isinstance(measures, Mapping) and measures:
        return "draws of texts to cluster", np.array(list(measures.values()), dtype=np.float64)
    if isinstance(measures, Sequence) and measures:
        return "sets of texts to cluster", np.array([measures], dtype=np.float64)
    return None


def _with_interval(
    value: float,
    metric: str,
    repeats: Sequence[tuple[str, NDArray[np.float64]] | None],
    n: int,
    resamples: int,
    seed: int,
) -> tuple[dict[str, Score], dict[str, NDArray[np.float64]], str]:
    """The main score with the interval of its mean over the repeats, if every part has some."""
    known = [one for one in repeats if one is not None]
    counts = {parts.shape[1] for _, parts in known}
    if len(known) < len(repeats) or len(counts) != 1 or min(counts) < 2:
        found = {metric: Score(value=value, low=math.nan, high=math.nan, n=n)}
        return found, {}, "without an interval, as MTEB gives one score"
    (k,) = counts
    means = np.mean([parts.mean(axis=0) for _, parts in known], axis=0)  # [k]
    draws = bootstrap({metric: mean_of(means)}, k, resamples=resamples, seed=seed)
    interval = score(value, draws[metric], n)
    how = f"the interval is over MTEB's {k} {known[0][0]}, not over the texts that are measured"
    return {metric: interval}, draws, how
