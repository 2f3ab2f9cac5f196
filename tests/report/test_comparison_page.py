"""The page about a comparison."""

import re
from pathlib import Path

import numpy as np
import pytest

from likewise.comparison.table import Comparison, Line, lay_out
from likewise.evaluation.result import Result
from likewise.evaluation.statistics import score
from likewise.report.comparison_page import render_comparison, write_comparison_page

CHROMIUM = Path("/usr/bin/chromium")
BLOCKED = re.compile(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//|url\(|@import|<script""", re.I)


def make_result(model: str, value: float) -> Result:
    draws = value + 0.01 * np.random.default_rng(len(model)).normal(size=500)
    return Result(
        task="sts <dev>", evaluator="similarity", primary="spearman", model=model, n=1500,
        data="d", draws={"spearman": draws, "pearson": draws},
        scores={"spearman": score(value, draws, 1500), "pearson": score(value, draws, 1500)},
    )  # fmt: skip


def make_line(name: str, **changed) -> Line:
    usual = {"base": "tiny", "labels": 5749, "rows": 5749, "seeds": 1, "seconds": 111.0}
    return Line(name=name, **usual | changed)


@pytest.fixture
def comparison() -> Comparison:
    lines = [
        make_line("softmax"),
        make_line("cosine", seeds=3, seconds=200.0),
        make_line("<b>mnr</b>", problem="its process was killed", seeds=0),
        make_line("tsdae", labels=0, seconds=900.0, reference="0.70 (bert-base)"),
    ]
    rows = {"softmax": 0.5, "cosine": 0.72, "tsdae": 0.62}
    results = {name: make_result(name, value) for name, value in rows.items()}
    return lay_out(lines, results, [make_result("tiny", 0.45)])


def test_the_page_says_what_the_table_says(comparison: Comparison):
    page = render_comparison(comparison)
    assert "Highest: cosine reaches Spearman 0.720, better than softmax (+0.220" in page
    for part in ("1,500 items", "5,749", "3 min 20 s", "3 seeds", "not trained here", "+0.120"):
        assert part in page
    assert "&lt;b&gt;mnr&lt;/b&gt;: its process was killed" in page
    assert "0.70 (bert-base)" in page
    assert page.count("<svg") == 2
    assert page.count('<text class="name"') == 6
    assert ">4</text>" in page  # the number of the row, though the third has no score
    assert "by minutes: softmax 0.500 at 1.85; cosine 0.720 at 3.33" in page


def test_a_row_that_is_no_better_says_what_would_have_shown():
    lines = [make_line("softmax"), make_line("cosine")]
    rows = {"softmax": make_result("softmax", 0.5), "cosine": make_result("cosine", 0.501)}
    comparison = lay_out(lines, rows, [make_result("tiny", 0.45)])
    detectable = comparison.against_first["cosine"].detectable
    page = render_comparison(comparison)
    assert f"; a difference of {detectable:.3f} or more would have shown." in page
    assert f'no better<small class="wrap">a difference of {detectable:.3f} or more' in page
    assert "after Holm" in page
    assert "corrected" in page


def test_it_is_one_small_file_that_fetches_nothing(comparison: Comparison, tmp_path: Path):
    path = write_comparison_page(comparison, tmp_path / "comparison.html")
    text = path.read_text()
    assert not BLOCKED.search(text)
    assert len(text) < 60_000
    assert "<b>mnr" not in text


def test_nothing_measured_is_a_page_too():
    line = make_line("a", seeds=0, problem="has not run yet")
    page = render_comparison(lay_out([line], {}, []))
    assert "No row has been measured." in page
    assert "has not run yet" in page
    assert "<svg" not in page


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark")])
def test_in_a_browser_it_fits_and_is_silent(
    comparison: Comparison, tmp_path: Path, width: int, scheme: str
):
    play = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip(f"there is no browser at {CHROMIUM}")
    path = write_comparison_page(comparison, tmp_path / "comparison.html")
    said: list[str] = []
    with play.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(path.as_uri())
        wide = page.evaluate("document.documentElement.scrollWidth")
        rows = page.locator("tbody tr").count()
        browser.close()
    assert not said
    assert wide <= width
    assert rows == 9
