"""Evaluations in words and tables, the same for every command."""

import math
from collections.abc import Sequence

from likewise.cli.console import answer, show_table
from likewise.evaluation.result import Difference, Evaluation, Result, Score
from likewise.report.wording import why_no_better

UNITS = ("texts/s", "pairs/s")


def show_evaluation(evaluation: Evaluation, metrics: Sequence[str] | None = None) -> None:
    """Print one table a task, with intervals; under it notes and the paired differences.

    Args:
        evaluation: of any number of models and tasks.
        metrics: which to show; the first is the primary one. None for the result's own.
    """
    for task in dict.fromkeys(result.task for result in evaluation.results):
        results = [result for result in evaluation.results if result.task == task]
        shown = list(metrics or results[0].scores)[:4]
        speeds = {unit: [_speed(result, unit) for result in results] for unit in UNITS}
        units = [unit for unit in UNITS if any(speeds[unit])] or [UNITS[0]]
        rows = []
        for i, result in enumerate(results):
            cells = []
            for metric in shown:
                score = result.scores.get(metric)
                cells.append("" if score is None else _with_interval(score))
            rows.append([result.model, *cells, *(speeds[unit][i] for unit in units)])
        has_intervals = not all(math.isnan(r.scores[r.primary].low) for r in results)
        title = f"{task}, {results[0].n:,} items{', 95 % intervals' if has_intervals else ''}"
        show_table(title, ["model", *shown, *units], rows)
        for note in dict.fromkeys(note for result in results for note in result.notes):
            answer(note)
        for difference in evaluation.differences:
            if difference.task == task and difference.metric in shown[:1]:
                answer(describe(difference))


def _with_interval(score: Score) -> str:
    if math.isnan(score.low):
        return f"{score.value:.3f}"
    return f"{score.value:.3f} ({score.low:.3f}–{score.high:.3f})"


def _speed(result: Result, unit: str) -> str:
    speed = result.pairs_per_second if unit == "pairs/s" else result.texts_per_second
    return "" if speed is None else f"{speed:,.0f}"


def describe(difference: Difference) -> str:
    """A paired difference in one line, with its p-values, and what would have shown."""
    tests = {"by permutation": difference.p_permutation, "corrected": difference.p_holm}
    more = [f"{name} {p:.4f}" for name, p in tests.items() if p is not None]
    chances = ", ".join([f"p = {difference.p_value:.4f}", *more])
    tail = f": no better, {reason}" if (reason := why_no_better(difference)) else ""
    return (
        f"{difference.metric}: {difference.model} against {difference.against} "
        f"{difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f}, {chances})"
        f"{tail}"
    )
