import json
from pathlib import Path

import pytest

from likewise.cli.main import main
from likewise.evaluation.result import Evaluation, Result, Score
from likewise.evaluation.schema import write_evaluation


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]):
    """Run `likewise report`: exit code, stdout, stderr."""

    def ran(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(["report", *map(str, arguments)])
        out, err = capfd.readouterr()
        return int(left.value.code or 0), out, err

    return ran


@pytest.fixture
def folder(tmp_path: Path):
    """A run folder with the least that a run can hold."""

    def made(name: str) -> Path:
        path = tmp_path / name
        path.mkdir()
        score = Score(value=0.5, low=0.4, high=0.6, n=20)
        result = Result(
            task="sts", evaluator="similarity", primary="spearman", scores={"spearman": score},
            draws={}, n=20, model="tiny",
        )  # fmt: skip
        write_evaluation(Evaluation(results=(result,)), path / "evaluation.json")
        return path

    return made


def test_a_run_gets_its_page_and_gets_it_anew(run, folder):
    first = folder("first")
    for _ in range(2):
        code, out, _ = run(first)
        assert (code, out) == (0, f"report: {first / 'report.html'}\n")
    assert "tiny reaches Spearman 0.500 on sts" in (first / "report.html").read_text()


def test_several_runs_share_a_page(run, folder, tmp_path):
    page = tmp_path / "both.html"
    code, out, _ = run(folder("first"), folder("second"), "--out", page, "--quiet")
    assert (code, out) == (0, f"{page}\n")
    assert page.read_text().count("<article") == 2


def test_json_is_the_only_thing_on_stdout(run, folder):
    first = folder("first")
    code, out, err = run(first, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {"report": str(first / "report.html"), "runs": [str(first)]}


def test_a_page_is_replaced_only_when_asked(run, folder, tmp_path):
    first, page = folder("first"), tmp_path / "page.html"
    page.write_text("mine")
    code, _, err = run(first, "--out", page)
    assert code == 2
    assert "page.html: exists already" in err
    assert "--overwrite" in err
    assert page.read_text() == "mine"
    assert run(first, "--out", page, "--overwrite")[0] == 0
    assert page.read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("nowhere", "nowhere: does not exist"),
        (".", "is not the folder of a run: it has no evaluation.json"),
    ],
)
def test_what_is_no_run_is_named_and_nothing_written(run, folder, tmp_path, named, said):
    page = tmp_path / "both.html"
    code, out, err = run(folder("first"), tmp_path / named, "--out", page)
    assert (code, out) == (2, "")
    assert said in err
    assert "To mend: " in err
    assert not page.exists()


def test_an_out_that_cannot_be_a_page_is_named(run, folder, tmp_path):
    first = folder("first")
    code, _, err = run(first, "--out", tmp_path)
    assert (code, "is a folder" in err) == (2, True)
    code, _, err = run(first, "--out", tmp_path / "no" / "page.html")
    assert (code, "mkdir -p" in err) == (2, True)
