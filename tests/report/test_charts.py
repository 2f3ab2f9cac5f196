import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likewise.report.charts import (
    Axis,
    Dot,
    Point,
    interval_chart,
    line_chart,
    ridge_chart,
    scatter_chart,
    ticks,
)

SVG_NUMBERS = re.compile(r'(?:[xy][12]?|c[xy])="(-?[\d.]+)"')


def dot(place, x, y):
    return Dot(place=place, name=f"row {place}", x=x, y=y, low=y - 0.1, high=y + 0.1)


def points(*ys):
    return [Point(x=x, y=y) for x, y in enumerate(ys)]


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_are_few_even_and_inside(low, span):
    found = ticks(low, low + span)
    assert len(found) <= 10
    assert all(low - span * 1e-6 <= t <= low + span * 1.000001 for t in found)
    gaps = np.diff(found)
    assert np.allclose(gaps, gaps[:1], rtol=1e-3)


@pytest.mark.parametrize(
    "drawing",
    [
        line_chart(points(1.0, 0.5, 0.2), title="Loss", x_name="step"),
        line_chart(points(*np.linspace(1, 0, 5000)), title="Loss", x_name="step", smooth=True),
        line_chart(points(0.5), title="One", x_name="step"),
        line_chart(points(2.0, 2.0, 2.0), title="Flat", x_name="step"),
        interval_chart([("a", Point(x=0.5, y=0, low=0.4, high=0.6))], title="Scores"),
        interval_chart([("a", Point(x=0.5, y=0)), ("b", Point(x=0.5, y=0))], title="Scores"),
        scatter_chart([dot(1, 3.0, 0.5)], title="Score", x_name="minutes"),
        scatter_chart([dot(1, 0.0, 0.0), dot(7, 0.0, 0.0)], title="Score", x_name="labels"),
        ridge_chart({"one": [0.1, 0.2], "two": [0.5]}, title="After", low=-1, high=1),
        ridge_chart({"one": [0.3]}, title="After", low=0.3, high=0.3),
    ],
)
def test_a_drawing_is_sound_svg_within_its_canvas(drawing):
    tree = ET.fromstring(drawing)
    width, height = (float(v) for v in tree.attrib["viewBox"].split()[2:])
    assert tree.attrib["role"] == "img"
    assert len(tree.attrib["aria-label"]) > 10
    assert "nan" not in drawing
    assert all(-1 <= float(v) <= max(width, height) for v in SVG_NUMBERS.findall(drawing))


def test_a_dot_stands_by_what_it_cost_and_bears_the_number_of_its_row():
    drawn = scatter_chart([dot(1, 1.0, 0.5), dot(4, 100.0, 0.6)], title="Score", x_name="minutes")
    drawing = ET.fromstring(drawn)
    cheap, dear = (e for e in drawing if e.tag == "circle")
    assert float(cheap.attrib["cx"]) < float(dear.attrib["cx"])
    assert float(cheap.attrib["cy"]) > float(dear.attrib["cy"])
    assert [e.text for e in drawing if e.attrib.get("class") == "name"] == ["1", "4"]
    assert "row 1 0.500 at 1; row 4 0.600 at 100" in drawing.attrib["aria-label"]


def test_a_long_line_is_thinned():
    drawing = line_chart(points(*np.sin(np.arange(100_000))), title="Loss", x_name="step")
    assert len(drawing) < 10_000


def test_a_smooth_line_is_the_mean_of_equal_stretches():
    drawing = line_chart(
        points(*[0.0, 1.0, 0.0, 1.0] * 3), title="Loss", x_name="step", smooth=True
    )
    _, smooth = (e for e in ET.fromstring(drawing) if e.tag == "polyline")
    heights = {point.split(",")[1] for point in smooth.attrib["points"].split()}
    assert len(smooth.attrib["points"].split()) == 3
    assert len(heights) == 1  # every stretch of four has the mean 0.5


def test_names_are_escaped():
    evil = '<script>"&'
    for drawing in (
        interval_chart([(evil, Point(x=0.5, y=0))], title=evil),
        ridge_chart({evil: [0.5]}, title=evil, low=0, high=1),
        line_chart(points(1.0, 2.0), title=evil, x_name="step"),
    ):
        assert "<script" not in drawing
        assert evil in ET.fromstring(drawing).attrib["aria-label"]


def test_points_that_are_not_numbers_are_left_out():
    assert line_chart(points(math.nan), title="Loss", x_name="step") == ""
    drawing = line_chart(points(1.0, math.inf, 0.5), title="Loss", x_name="step")
    assert "from 1.000 at step 0 to 0.500 at step 2" in drawing


def test_the_median_is_said_and_drawn_at_its_place():
    drawing = ridge_chart({"pairs": [0.0, 0.5, 0.6]}, title="After", low=0.0, high=1.0)
    median = next(e for e in ET.fromstring(drawing) if "median" in e.attrib.get("class", ""))
    assert float(median.attrib["x1"]) == pytest.approx((12 + 348) / 2)  # middle of the axis
    assert "pairs median 0.500" in drawing


def test_an_axis_without_a_range_still_has_a_place():
    assert Axis(low=1.0, high=1.0, start=10, end=20).at(1.0) == "10.0"
