import re
from copy import deepcopy
from pathlib import Path

import pytest

from likewise.errors import InputError
from likewise.report.page import SECTIONS, clip, render, write_page, write_report
from likewise.report.record import read_run

CHROMIUM = Path("/usr/bin/chromium")
BLOCKED = re.compile(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//|url\(|@import|<script""", re.I)


@pytest.mark.parametrize("missing", [(), ("metrics",), ("report_data",), ("manifest", "recipe")])
def test_every_section_is_there_whatever_the_run_kept(write_run, missing):
    folder = write_run(**dict.fromkeys(missing))
    page = write_report(folder)
    assert page == folder / "report.html"
    text = page.read_text()
    for id, name in SECTIONS:
        assert f'<section id="r1-{id}">' in text
        assert name in text


def test_the_page_says_what_the_files_say(write_run):
    text = write_report(write_run()).read_text()
    assert "Better: on stdlib-code-search, trained reaches nDCG@10 0.683" in text
    for part in ("0.653–0.713", "+0.063 to +0.103", "likewise train &#39;my pairs.csv&#39;"):
        assert part in text
    for part in ("scale = 20.0", "2.13.0", "below rank 100", "12 rows repeat another", "1,207"):
        assert part in text


def test_what_a_gain_cost_stands_beside_it(write_run, evaluation):
    whole = evaluation()
    general = {key: deepcopy(whole[key]) for key in ("results", "differences")}
    general["results"] = general["results"][1:]
    general["differences"] = [
        {**general["differences"][1], "value": -0.1, "low": -0.15, "high": -0.05}
    ]
    for one in (*general["results"], *general["differences"]):
        one["task"] = "stsb"
    page = write_report(write_run(evaluation={**whole, "general": general})).read_text()
    assert "What it cost: skill on other data" in page
    assert "General skill, stsb: nDCG@10 0.683, before 0.600" in page
    assert "lost." in page


def test_without_other_sets_nothing_is_said_of_cost(write_run):
    assert "What it cost" not in write_report(write_run()).read_text()


def test_one_small_file_that_fetches_nothing(write_run):
    page = write_report(write_run())
    assert page.stat().st_size < 100_000
    assert not BLOCKED.search(page.read_text())


def test_texts_of_the_user_are_never_markup(write_run, diagnosis, evaluation, manifest):
    evil = "<img src=x onerror=alert(1)>\"'</style>&"
    data = diagnosis()
    data["errors"][0] |= {"query": evil, "expected": evil, "got": evil}
    data["errors"][-1] |= {"left": evil, "right": evil}
    data["notes"], data["task"] = [evil], evil
    names = list(data["similarities"]["before"])
    for side in data["similarities"].values():
        side[evil] = side.pop(names[0])
    results = evaluation()
    for result in results["results"]:
        result["task"] = evil
        result["model"] += evil
    facts = manifest() | {"base": evil, "files": {evil: None}, "notes": [evil], evil: evil}
    folder = write_run(
        report_data=data,
        evaluation=results,
        manifest=facts | {"command": ["likewise", evil]},
        recipe=evil,
    )
    text = write_report(folder).read_text()
    assert "<img" not in text
    assert text.count("</style>") == 1
    assert "&lt;img src=x onerror=alert(1)&gt;" in text


def test_several_runs_share_a_page_with_a_table_of_them(write_run, tmp_path):
    runs = [write_run("first"), write_run("second")]
    text = write_page(runs, tmp_path / "both.html").read_text()
    assert "Likewise report: 2 runs" in text
    assert text.count("<article") == 2
    ids = re.findall(r'id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert {f"#{i}" for i in ids} >= set(re.findall(r'href="(#[^"]+)"', text))


def test_runs_of_the_same_name_are_told_apart_by_their_folders(write_run, tmp_path):
    (tmp_path / "a").mkdir()
    first, second = write_run("run"), write_run("a/run")
    text = write_page([first, second], tmp_path / "both.html").read_text()
    assert f">{first}</a>" in text
    assert f">{second}</a>" in text


def test_nothing_is_written_when_one_run_is_wrong(write_run, tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        write_page([write_run(), tmp_path / "nowhere"], tmp_path / "both.html")
    assert not (tmp_path / "both.html").exists()


def test_the_same_run_gives_the_same_page(write_run):
    run = read_run(write_run())
    assert render([run]) == render([run])


def test_a_long_text_is_clipped_and_says_by_how_much():
    assert clip("x" * 400) == "x" * 400
    assert clip("x" * 1500).endswith("x… (1,100 more characters)")
    assert clip("a\n" * 20) == "\n".join("a" * 8) + "… (25 more characters)"


def test_a_worse_run_looks_worse(write_run, evaluation):
    folder = write_run(evaluation=evaluation() | {"verdict": "worse"})
    assert 'class="verdict worse"' in write_report(folder).read_text()


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM.exists():
        pytest.skip(f"there is no browser at {CHROMIUM}")
    sync_playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    with sync_playwright() as play:
        launched = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_in_a_browser_it_fits_is_silent_and_fetches_nothing(
    browser, write_run, tmp_path, width, scheme
):
    page_file = write_page([write_run("first"), write_run("second")], tmp_path / "both.html")
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    requests, complaints = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(page_file.as_uri())
    assert [url for url in requests if not url.startswith("data:")] == [page_file.as_uri()]
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    wider = "[...document.querySelectorAll('.wide')].filter(e => e.scrollWidth > e.clientWidth)"
    assert page.evaluate(f"{wider}.length") == 0
    assert (
        page.get_by_role("heading", level=3).all_inner_texts()
        == [
            "Scores",
            "Training",
            "Similarity before and after",
            "Worst errors",
            "Data",
            "How it was made",
        ]
        * 2
    )
    charts = page.get_by_role("img").all()
    assert len(charts) == 10
    assert all(chart.bounding_box()["width"] > 200 for chart in charts)
    headers = page.locator("th:not([scope])")
    assert headers.count() == 0
    page.close()


@pytest.mark.browser
def test_a_page_of_very_long_words_still_fits_a_phone(browser, write_run, evaluation, diagnosis):
    results, data = evaluation(), diagnosis()
    for result in results["results"]:
        result["model"] = "hub:organisation/" + "long-model-name-" * 8 + result["model"]
        result["task"] = "task-" * 30
    data["errors"][0]["query"] = "w" * 300
    folder = write_run(evaluation=results, report_data=data, recipe="x" * 500)
    page = browser.new_page(viewport={"width": 360, "height": 800})
    page.goto(write_report(folder).as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.close()
