"""How the report says numbers, metrics and a verdict."""

import math

from likewise.evaluation.differences import LEVEL, verdict
from likewise.evaluation.result import Difference, Evaluation, Score

KEPT = {"better": "gained", "no better": "no loss is shown", "worse": "lost"}
CORRECTED = (
    "Better or worse: the 95 % interval does not hold 0, and p is below 0.05 after Holm's "
    "correction for all differences of the table."
)
METRICS = {
    "ndcg": "nDCG",
    "mrr": "MRR",
    "map": "MAP",
    "recall": "Recall",
    "spearman": "Spearman",
    "pearson": "Pearson",
}


def number(value: float) -> str:
    """A score or loss with three decimals, or with three significant figures if it is large.

    >>> number(0.5), number(1234.5), number(-0.0831)
    ('0.500', '1,234', '−0.083')
    """
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinite"
    text = f"{value:,.3f}" if abs(value) < 100 else f"{value:,.0f}"
    return text.replace("-", "−")


def signed(value: float) -> str:
    """A difference, with its sign.

    >>> signed(0.083), signed(-0.021)
    ('+0.083', '−0.021')
    """
    return number(value) if value < 0 else f"+{number(value)}"


def chance(p_value: float) -> str:
    r"""A p-value, without pretending to know more than two thousand resamples can tell.

    >>> chance(0.00002), chance(0.034)
    ('≤\xa00.001', '0.034')
    """
    return "≤\N{NO-BREAK SPACE}0.001" if p_value <= 0.001 else f"{p_value:.3f}"


def interval(score: Score) -> str:
    """The 95 % interval of a score.

    >>> interval(Score(value=0.6, low=0.57, high=0.63, n=9))
    '0.570–0.630'
    """
    between = "–" if score.low >= 0 else " to "
    return f"{number(score.low)}{between}{number(score.high)}"


def metric_name(metric: str) -> str:
    """A metric as papers write it.

    >>> metric_name("ndcg@10"), metric_name("spearman")
    ('nDCG@10', 'Spearman')
    """
    head, at, cut = metric.partition("@")
    return f"{METRICS.get(head, head)}{at}{cut}"


def duration(seconds: float) -> str:
    """Seconds, or minutes and seconds, or hours and minutes.

    >>> duration(8.24), duration(111), duration(7320)
    ('8.2 s', '1 min 51 s', '2 h 2 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def leading_difference(evaluation: Evaluation) -> Difference | None:
    """The difference that the verdict speaks of: the last model against the one it started from.

    Differences of the last model come in the order of the models that it is compared with; what
    stands nearest before it is its base model.
    """
    if not evaluation.results:
        return None
    last = evaluation.results[-1]
    for before in reversed(evaluation.results[:-1]):
        for difference in evaluation.differences:
            same_task = difference.task == last.task and difference.metric == last.primary
            if same_task and (difference.model, difference.against) == (last.model, before.model):
                return difference
    return None


def verdict_sentence(evaluation: Evaluation) -> str:
    """The verdict, what it rests on and how sure it is, in one sentence."""
    if not evaluation.results:
        return "Nothing was evaluated."
    last = evaluation.results[-1]
    difference = leading_difference(evaluation)
    reached = f"{metric_name(last.primary)} {number(last.scores[last.primary].value)}"
    if difference is None or evaluation.verdict is None:
        return (
            f"{last.model} reaches {reached} on {last.task}; there is nothing to compare it with."
        )
    start = {
        "better": f"Better: on {last.task}, {last.model} reaches {reached}",
        "worse": f"Worse than where it started: on {last.task}, {last.model} reaches {reached}",
        "no better": f"No better: on {last.task}, {last.model} reaches {reached}",
    }[evaluation.verdict]
    tail = f"; {reason}" if (reason := why_no_better(difference)) else ""
    return f"{start}, {_apart(difference)} {difference.against} ({_certainty(difference)}){tail}."


def why_no_better(difference: Difference) -> str:
    """What a verdict of "no better" says besides: what would have shown, or why it does not.

    Nothing for another verdict, or where it is not known.

    >>> why_no_better(Difference(task="t", metric="m", model="a", against="b", value=0.01,
    ...     low=-0.01, high=0.03, p_value=0.2, detectable=0.028))
    'a difference of 0.028 or more would have shown'
    """
    if verdict(difference) != "no better":
        return ""
    shown = would_show(difference)
    if difference.low > 0 or difference.high < 0:
        chance_of_many = f"p {_equal(difference.p_holm)} after Holm's correction"
        above = f"among several comparisons not sure: {chance_of_many}, and not below {LEVEL:g}"
        return f"{above}; {shown}" if shown else above
    return shown


def would_show(difference: Difference) -> str:
    """The smallest difference that this test set could show, as a clause; "" where not known."""
    if difference.detectable is None:
        return ""
    if difference.detectable == 0:
        return "every item scores alike"
    if difference.detectable < 0.001:
        return "a difference of 0.001 or more would have shown"
    return f"a difference of {number(difference.detectable)} or more would have shown"


def cost_sentences(evaluation: Evaluation) -> list[str]:
    """What a gain cost on each set that the training was not about, in a sentence each."""
    if evaluation.general is None:
        return []
    leads = {result.task: result.primary for result in evaluation.general.results}
    values = {
        (result.task, result.model): result.scores[result.primary].value
        for result in evaluation.general.results
    }
    return [
        f"General skill, {difference.task}: {metric_name(difference.metric)} "
        f"{number(values[difference.task, difference.model])}, before "
        f"{number(values[difference.task, difference.against])} ({_certainty(difference)}): "
        f"{_kept(difference)}."
        for difference in evaluation.general.differences
        if difference.metric == leads[difference.task]
    ]


def _kept(difference: Difference) -> str:
    reason = why_no_better(difference)
    return f"{KEPT[verdict(difference)]}; {reason}" if reason else KEPT[verdict(difference)]


def _apart(difference: Difference) -> str:
    if difference.value == 0:
        return "just as much as"
    side = "more" if difference.value > 0 else "less"
    return f"{number(abs(difference.value))} {side} than"


def _certainty(difference: Difference) -> str:
    ends = f"{signed(difference.low)} to {signed(difference.high)}"
    parts = [f"95 % interval of the difference {ends}", f"p {_equal(difference.p_value)}"]
    if difference.p_permutation is not None:
        parts.append(f"by permutation {_equal(difference.p_permutation)}")
    if difference.p_holm is not None:
        parts.append(f"after Holm's correction {_equal(difference.p_holm)}")
    return ", ".join(parts)


def _equal(p_value: float | None) -> str:
    said = chance(1.0 if p_value is None else p_value)
    return said if said.startswith("≤") else f"= {said}"
