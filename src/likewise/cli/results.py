"""Evaluations in words and tables, the same for every command."""

from collections.abc import Sequence

from likewise.cli.console import answer, show_table
from likewise.evaluation.result import Difference, Evaluation


def show_evaluation(evaluation: Evaluation, metrics: Sequence[str] | None = None) -> None:
    """Print one table a task, with intervals, and the paired differences under it.

    Args:
        evaluation: of any number of models and tasks.
        metrics: which to show; the first is the primary one. None for the result's own.
    """
    for task in dict.fromkeys(result.task for result in evaluation.results):
        results = [result for result in evaluation.results if result.task == task]
        shown = list(metrics or results[0].scores)[:4]
        rows = []
        for result in results:
            cells = []
            for metric in shown:
                score = result.scores.get(metric)
                cells.append(
                    "" if score is None else f"{score.value:.3f} ({score.low:.3f}–{score.high:.3f})"
                )
            speed = result.texts_per_second
            rows.append([result.model, *cells, "" if speed is None else f"{speed:,.0f}"])
        title = f"{task}, {results[0].n:,} items, 95 % intervals"
        show_table(title, ["model", *shown, "texts/s"], rows)
        for difference in evaluation.differences:
            if difference.task == task and difference.metric in shown[:1]:
                answer(describe(difference))


def describe(difference: Difference) -> str:
    """A paired difference in one line."""
    return (
        f"{difference.metric}: {difference.model} against {difference.against} "
        f"{difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f}, "
        f"p = {difference.p_value:.4f})"
    )
