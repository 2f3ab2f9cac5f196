"""One HTML page about a comparison: its table, and what each score cost."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from likewise.comparison.table import Comparison, Line
from likewise.evaluation.result import Difference, Result, Score, Verdict
from likewise.report.charts import Dot, scatter_chart
from likewise.report.environment import build_environment, own_version, write_whole
from likewise.report.wording import CORRECTED, metric_name, number, signed, why_no_better

SHOWN_METRICS = 3
UNMEASURED = Result(task="nothing measured yet", evaluator="", primary="", scores={}, draws={}, n=0)
TONES: dict[Verdict | None, str] = {"better": "better", "worse": "worse"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowView:
    """All that the template shows of one row."""

    line: Line
    result: Result | None
    verdict: Verdict | None
    judged: Difference | None
    base: Difference | None
    above: Difference | None
    first: Difference | None


def write_comparison_page(comparison: Comparison, out: Path) -> Path:
    """Write the page; what was there is replaced.

    Args:
        comparison: of any number of rows, measured or not.
        out: the page.

    Returns:
        `out`.
    """
    return write_whole(render_comparison(comparison), out)


def render_comparison(comparison: Comparison) -> str:
    """One self-contained HTML page: no script, nothing fetched, every text escaped."""
    results = comparison.evaluation.results
    names = {line.name for line in comparison.lines}
    last = results[-1] if results else UNMEASURED
    leading = _leading(comparison)
    return (
        build_environment()
        .get_template("comparison.html.j2")
        .render(
            title=f"Likewise comparison: {last.task}",
            caption=_caption(last),
            corrected=CORRECTED if comparison.is_corrected else "",
            best="" if leading is None else _sentence(*leading, last.primary),
            tone="even" if leading is None else TONES.get(leading[0].verdict, "even"),
            metrics=list(last.scores)[:SHOWN_METRICS],
            others=[result for result in results if result.model not in names],
            rows=_views(comparison),
            differences=bool(comparison.against_base or comparison.against_first),
            primary=last.primary,
            has_reference=any(line.reference for line in comparison.lines),
            charts=_charts(comparison),
            version=own_version(),
        )
    )


def _views(comparison: Comparison) -> list[RowView]:
    return [
        RowView(
            line=line,
            result=comparison.result(line.name),
            verdict=comparison.verdict_of(line.name),
            judged=comparison.judged(line.name),
            base=comparison.against_base.get(line.name),
            above=comparison.against_above.get(line.name),
            first=comparison.against_first.get(line.name),
        )
        for line in comparison.lines
    ]


def _caption(last: Result) -> str:
    if last is UNMEASURED:
        return "No row has been measured."
    return (
        f"{last.task}, {last.n:,} items, 95 % intervals in small print; "
        "the verdict is against the first row, that of the first row against its base"
    )


def _leading(comparison: Comparison) -> tuple[RowView, float] | None:
    """The row with the highest score, and that score."""
    measured = [
        (view, view.result.scores[view.result.primary].value)
        for view in _views(comparison)
        if view.result is not None
    ]
    return max(measured, key=lambda one: one[1], default=None)


def _sentence(view: RowView, value: float, metric: str) -> str:
    """What the best row reached, and whether that is more than the first row did."""
    reached = f"{view.line.name} reaches {metric_name(metric)} {number(value)}"
    difference = view.judged
    if difference is None:
        return f"Highest: {reached}."
    ends = f"{signed(difference.low)} to {signed(difference.high)}"
    apart = f"{signed(difference.value)}, 95 % interval {ends}"
    tail = f"; {reason}" if (reason := why_no_better(difference)) else ""
    return f"Highest: {reached}, {view.verdict} than {difference.against} ({apart}){tail}."


def _charts(comparison: Comparison) -> list[tuple[str, Markup]]:
    """The leading score by minutes and by labels; the numbers are those of the table."""
    drawn: list[tuple[int, Line, Score]] = []
    title = ""
    for place, line in enumerate(comparison.lines, start=1):
        result = comparison.result(line.name)
        if result is not None:
            drawn.append((place, line, result.scores[result.primary]))
            title = metric_name(result.primary)
    if not drawn:
        return []

    def chart(x_name: str, x_of: Callable[[Line], float]) -> Markup:
        dots = [
            Dot(place=place, name=line.name, x=x_of(line), y=s.value, low=s.low, high=s.high)
            for place, line, s in drawn
        ]
        return scatter_chart(dots, title=title, x_name=x_name)

    return [
        (f"{title} by minutes of a run", chart("minutes", lambda line: line.seconds / 60)),
        (f"{title} by labels", chart("labels", lambda line: line.labels)),
    ]
