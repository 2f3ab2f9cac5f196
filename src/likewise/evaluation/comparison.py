"""Several models side by side: paired differences and the verdict."""

from collections.abc import Sequence

from likewise.evaluation.differences import correct_for_many, paired_difference, verdict
from likewise.evaluation.result import Difference, Evaluation, Result, Verdict


def compare(results: Sequence[Result], *, against: str | None = None) -> tuple[Difference, ...]:
    """Every other model of a task minus one of them, on each metric of which both have draws.

    Those of the primary metrics, of all tasks, are one family: where there are several, each has a
    p-value that is corrected for them all.

    Args:
        results: of one or more tasks; a model stands once in each.
        against: name of the model to subtract; the first of each task where None.

    Returns:
        In the order of the results, the primary metric first.

    Raises:
        ValueError: `against` has no result in a task, a model stands twice in one, or the results
            of a task are not of the same data, resamples and seed.
    """
    found: list[Difference] = []
    for task in dict.fromkeys(result.task for result in results):
        of_task = [result for result in results if result.task == task]
        models = [result.model for result in of_task]
        if len(set(models)) < len(models):
            raise ValueError(f"a model stands twice in the task {task}: {models}")
        if against is not None and against not in models:
            raise ValueError(f"{against} has no result in the task {task}: {models}")
        base = of_task[0 if against is None else models.index(against)]
        found += [
            paired_difference(result, base, metric)
            for result in of_task
            if result is not base
            for metric in _metrics(result)
            if metric in base.scores and metric in base.draws and metric in result.draws
        ]
    return _with_family(found, results)


def conclude(
    results: Sequence[Result], *, against: str | None = None, subject: str | None = None
) -> Evaluation:
    """The results with their differences and the verdict on one model, by the primary metrics.

    Over several tasks: worse if it is worse in any, better if it is better in one and worse in
    none, else no better.

    Args:
        results: as for `compare`.
        against: the model to compare with; the first where None.
        subject: the model to judge; the last where None.

    Returns:
        Without a verdict where there is no difference to judge by.
    """
    differences = compare(results, against=against)
    subject = results[-1].model if subject is None and results else subject
    primary = {(result.task, result.primary) for result in results}
    judged = {
        verdict(difference)
        for difference in differences
        if difference.model == subject and (difference.task, difference.metric) in primary
    }
    return Evaluation(results=tuple(results), differences=differences, verdict=_overall(judged))


def conclude_run(before: Sequence[Result], trained: Sequence[Result]) -> Evaluation:
    """What a run trained beside what it has to beat, and the verdict on the last by the base.

    That one comparison is what the run was made for, and named before it: no p-value is corrected.

    Args:
        before: the plain baseline, where there is one, and last the base model.
        trained: one or several models, on the same data.
    """
    base, last = before[-1], trained[-1]
    differences = tuple(
        difference
        for result in trained
        for other in reversed(before)
        for difference in compare([other, result])
    )
    sought = (last.model, base.model, base.primary)
    lead = next(d for d in differences if (d.model, d.against, d.metric) == sought)
    return Evaluation(results=(*before, *trained), differences=differences, verdict=verdict(lead))


def _with_family(found: Sequence[Difference], results: Sequence[Result]) -> tuple[Difference, ...]:
    """The differences, with corrected p-values on those of the primary metrics."""
    primary = {(result.task, result.primary) for result in results}
    leads = [i for i, one in enumerate(found) if (one.task, one.metric) in primary]
    corrected = dict(zip(leads, correct_for_many([found[i] for i in leads]), strict=True))
    return tuple(corrected.get(i, one) for i, one in enumerate(found))


def _overall(judged: set[Verdict]) -> Verdict | None:
    order: tuple[Verdict, ...] = ("worse", "better", "no better")
    return next((one for one in order if one in judged), None)


def _metrics(result: Result) -> list[str]:
    return sorted(result.scores, key=lambda metric: metric != result.primary)
