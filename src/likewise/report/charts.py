"""Small charts as inline SVG: no script, nothing fetched, colours from the page's own style."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from likewise.report.wording import number

# Every chart is drawn on a canvas as wide as a phone, and grows with its column.
WIDTH, HEIGHT = 360, 220
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 10, 34
DRAWN_POINTS = 240  # of a line; more cannot be told apart at this width
SMOOTHED_POINTS = 24
SMOOTHED_OVER = 4  # steps at least; the mean of fewer is as rough as they are
BINS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One measurement, with its interval where there is one."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A row of a table in a chart: its number, and its value with its interval."""

    place: int
    name: str
    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A range of values on a range of pixels."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> str:
        """The pixel of a value, as SVG wants it."""
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return f"{self.start + share * (self.end - self.start):.1f}"


def ticks(low: float, high: float, *, wanted: int = 4) -> list[float]:
    """Round values from `low` to `high`, about as many as wanted.

    >>> ticks(0.0, 1.0)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    span = high - low
    if span <= 0:
        return [low]
    rough = span / wanted
    unit = 10.0 ** math.floor(math.log10(rough))
    step = min((m * unit for m in (1, 2, 5, 10)), key=lambda s: abs(s - rough))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def line_chart(points: Sequence[Point], *, title: str, x_name: str, smooth: bool = False) -> Markup:
    """A line over steps, with a whisker at each point that has an interval.

    Args:
        points: one at least, in order of x; those that are not finite are left out.
        title: what is drawn, read aloud by a screen reader together with first and last value.
        x_name: what the horizontal axis counts.
        smooth: draw the points pale and their means over a few dozen stretches strong.
    """
    kept = [p for p in points if math.isfinite(p.x) and math.isfinite(p.y)]
    if not kept:
        return Markup("")
    ys = [v for p in kept for v in (p.y, p.low, p.high) if v is not None and math.isfinite(v)]
    margin = 0.05 * (max(ys) - min(ys)) or 0.05 * abs(ys[0]) or 0.5
    x = Axis(low=kept[0].x, high=kept[-1].x, start=LEFT, end=WIDTH - RIGHT)
    y = Axis(low=min(ys) - margin, high=max(ys) + margin, start=HEIGHT - BOTTOM, end=TOP)
    parts = _grid(x, y, x_name)
    parts += [_whisker(p, x, y) for p in kept]
    parts.append(_line(_thinned(kept, DRAWN_POINTS), x, y, "line pale" if smooth else "line c1"))
    if smooth:
        parts.append(_line(_thinned(kept, SMOOTHED_POINTS, fewest=SMOOTHED_OVER), x, y, "line c1"))
    elif len(kept) <= SMOOTHED_POINTS:
        parts += [f'<circle class="dot c1" cx="{x.at(p.x)}" cy="{y.at(p.y)}" r="3"/>' for p in kept]
    first, last = kept[0], kept[-1]
    label = f"{title}: from {number(first.y)} at {x_name} {first.x:g}"
    return _svg(parts, f"{label} to {number(last.y)} at {x_name} {last.x:g}", HEIGHT)


def interval_chart(rows: Sequence[tuple[str, Point]], *, title: str) -> Markup:
    """One dot with its interval a row, on a shared axis: which ranges overlap is seen at once.

    Args:
        rows: names and values, whose x is the value; one at least.
        title: what is drawn.
    """
    values = [v for _, p in rows for v in (p.x, p.low, p.high) if v is not None]
    margin = 0.08 * (max(values) - min(values)) or 0.5
    height = TOP + 38 * len(rows) + BOTTOM
    x = Axis(low=min(values) - margin, high=max(values) + margin, start=12, end=WIDTH - RIGHT)
    parts = _vertical_ticks(x, height - BOTTOM)
    for i, (name, point) in enumerate(rows):
        middle = TOP + 38 * i + 26
        shade = "c1" if i == len(rows) - 1 else "c2"
        parts.append(f'<text class="name" x="12" y="{middle - 10}">{escape(_short(name))}</text>')
        if point.low is not None and point.high is not None:
            ends = f'x1="{x.at(point.low)}" x2="{x.at(point.high)}"'
            parts.append(f'<line class="whisker {shade}" {ends} y1="{middle}" y2="{middle}"/>')
        parts.append(f'<circle class="dot {shade}" cx="{x.at(point.x)}" cy="{middle}" r="4.5"/>')
    spoken = "; ".join(f"{name} {number(p.x)}" for name, p in rows)
    return _svg(parts, f"{title}: {spoken}", height)


def scatter_chart(dots: Sequence[Dot], *, title: str, x_name: str) -> Markup:
    """A numbered dot with its interval for each row: what a score cost, whatever x counts.

    Args:
        dots: one at least.
        title: what is drawn, read aloud together with every row.
        x_name: what the horizontal axis counts.
    """
    ys = [v for dot in dots for v in (dot.y, dot.low, dot.high)]
    margin = 0.08 * (max(ys) - min(ys)) or 0.05 * abs(ys[0]) or 0.5
    most = max(dot.x for dot in dots) or 1.0
    x = Axis(low=0.0, high=1.06 * most, start=LEFT, end=WIDTH - RIGHT)
    y = Axis(low=min(ys) - margin, high=max(ys) + margin, start=HEIGHT - BOTTOM, end=TOP)
    parts = _grid(x, y, x_name)
    for dot in dots:
        shade, across, up = f"c{(dot.place - 1) % 6 + 1}", x.at(dot.x), y.at(dot.y)
        ends = f'y1="{y.at(dot.low)}" y2="{y.at(dot.high)}"'
        parts.append(f'<line class="whisker {shade}" x1="{across}" x2="{across}" {ends}/>')
        parts.append(f'<circle class="dot {shade}" cx="{across}" cy="{up}" r="4"/>')
        beside = f'x="{float(across) + 6:.1f}" y="{float(up) - 5:.1f}"'
        parts.append(f'<text class="name" {beside}>{dot.place}</text>')
    spoken = "; ".join(f"{dot.name} {number(dot.y)} at {dot.x:,.3g}" for dot in dots)
    return _svg(parts, f"{title} by {x_name}: {spoken}", HEIGHT)


def ridge_chart(
    groups: dict[str, Sequence[float]], *, title: str, low: float, high: float
) -> Markup:
    """How the values of each group spread: one small histogram a group on a shared axis.

    Args:
        groups: name to values, one at least in each.
        title: what is drawn, read aloud together with each group's median.
        low: left end of the axis; the same for charts that are to be compared.
        high: right end.
    """
    row, names = 52, list(groups)
    height = TOP + row * len(names) + BOTTOM
    x = Axis(low=low, high=high, start=12, end=WIDTH - RIGHT)
    parts, spoken = _vertical_ticks(x, height - BOTTOM), []
    for i, name in enumerate(names):
        values = np.asarray(groups[name], dtype=np.float64)
        base, shade = TOP + row * (i + 1), f"c{i % 6 + 1}"
        median = float(np.median(values))
        parts.append(f'<path class="ridge {shade}" d="{_ridge(values, x, base, row - 20)}"/>')
        at = x.at(median)
        parts.append(
            f'<line class="median {shade}" x1="{at}" x2="{at}" y1="{base}" y2="{base - row + 18}"/>'
        )
        text = f"{escape(_short(name))} <tspan class='faint'>median {number(median)}</tspan>"
        parts.append(f'<text class="name" x="12" y="{base - row + 14}">{text}</text>')
        spoken.append(f"{name} median {number(median)}")
    return _svg(parts, f"{title}: {'; '.join(spoken)}", height)


def _ridge(values: NDArray[np.float64], x: Axis, base: float, height: float) -> str:
    counts, edges = np.histogram(values, bins=BINS, range=(x.low, x.high))
    tops = base - height * counts / max(int(counts.max()), 1)
    steps = [f"M{x.at(edges[0])} {base}"]
    for top, left, right in zip(tops, edges[:-1], edges[1:], strict=True):
        steps.append(f"L{x.at(left)} {top:.1f}L{x.at(right)} {top:.1f}")
    return "".join([*steps, f"L{x.at(edges[-1])} {base}Z"])


def _thinned(points: Sequence[Point], wanted: int, *, fewest: int = 1) -> list[Point]:
    """Means over stretches of equal length, `fewest` points or more in each, `wanted` at most."""
    size = max(fewest, math.ceil(len(points) / wanted))
    if size == 1 or len(points) < 2 * size:
        return list(points)
    stretches = np.array_split(np.array([(p.x, p.y) for p in points]), len(points) // size)
    return [Point(x=float(x), y=float(y)) for x, y in (part.mean(axis=0) for part in stretches)]


def _line(points: Sequence[Point], x: Axis, y: Axis, style: str) -> str:
    at = " ".join(f"{x.at(p.x)},{y.at(p.y)}" for p in points)
    return f'<polyline class="{style}" points="{at}"/>'


def _whisker(point: Point, x: Axis, y: Axis) -> str:
    if point.low is None or point.high is None:
        return ""
    at = x.at(point.x)
    ends = f'y1="{y.at(point.low)}" y2="{y.at(point.high)}"'
    return f'<line class="whisker c1" x1="{at}" x2="{at}" {ends}/>'


def _grid(x: Axis, y: Axis, x_name: str) -> list[str]:
    parts = []
    marks = ticks(y.low, y.high)
    decimals = max(len(f"{value:g}".partition(".")[2]) for value in marks)
    for value in marks:
        at = y.at(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at}" y2="{at}"/>')
        shown = f"{value:.{decimals}f}"
        parts.append(f'<text class="end" x="{LEFT - 6}" y="{float(at) + 4:.1f}">{shown}</text>')
    for value in ticks(x.low, x.high):
        at = x.at(value)
        parts.append(f'<text class="middle" x="{at}" y="{HEIGHT - BOTTOM + 15}">{value:g}</text>')
    parts.append(f'<text class="end faint" x="{WIDTH - RIGHT}" y="{HEIGHT - 4}">{x_name}</text>')
    return parts


def _vertical_ticks(x: Axis, bottom: float) -> list[str]:
    parts = []
    for value in ticks(x.low, x.high, wanted=5):
        at = x.at(value)
        parts.append(f'<line class="grid" x1="{at}" x2="{at}" y1="{TOP}" y2="{bottom}"/>')
        parts.append(f'<text class="middle" x="{at}" y="{bottom + 16}">{value:g}</text>')
    return parts


def _short(name: str, most: int = 38) -> str:
    return name if len(name) <= most else f"…{name[1 - most :]}"


def _svg(parts: Sequence[str], label: str, height: float) -> Markup:
    head = f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(label)}">'
    return Markup(f"{head}{''.join(parts)}</svg>")
