"""`likewise demo`, as it is typed."""

import json
from pathlib import Path

import pytest

from conftest import TOPICS, answer, question
from likewise.models import load


@pytest.fixture
def code_folder(tmp_path: Path) -> Path:
    """A package of four modules with sixteen documented functions each."""
    folder = tmp_path / "package"
    folder.mkdir()
    for i in range(4):
        functions = (
            f'def f{i}_{j}(text):\n    """{question(*topic)}."""\n    return "{answer(*topic)}"\n'
            for j, topic in enumerate(TOPICS[16 * i : 16 * i + 16])
        )
        (folder / f"module{i}.py").write_text("\n\n".join(functions))
    return folder


def test_the_demo_leaves_model_report_and_functions(
    run, tiny_folder: Path, code_folder: Path, tmp_path: Path
):
    out = tmp_path / "demo"
    code, said, _ = run("demo", "--code", code_folder, "--base", tiny_folder, "--out", out)
    assert code == 0
    assert "BM25" in said
    assert "trained" in said
    assert "nDCG@10" in said  # of the verdict
    assert "search" in said.splitlines()[-3]
    assert load(out / "model").dimensions == 32
    assert "<html" in (out / "report.html").read_text()
    functions = [json.loads(line) for line in (out / "functions.jsonl").read_text().splitlines()]
    assert len(functions) == len(TOPICS)
    assert all(".py:" in function["place"] for function in functions)


def test_json_is_the_evaluation_and_nothing_else(
    run, tiny_folder: Path, code_folder: Path, tmp_path: Path
):
    words = ("--code", code_folder, "--base", tiny_folder, "--out", tmp_path / "demo", "--json")
    code, said, _ = run("demo", *words)
    assert code == 0
    value = json.loads(said)
    assert [result["model"] for result in value["results"]] == ["BM25", str(tiny_folder), "trained"]
    assert value["verdict"] in {"better", "no better", "worse"}


def test_too_little_code_is_an_error_and_nothing_is_written(run, tiny_folder: Path, tmp_path: Path):
    folder = tmp_path / "few"
    folder.mkdir()
    (folder / "one.py").write_text('def f():\n    """Return the one."""\n    return 1\n')
    out = tmp_path / "demo"
    code, _, complaint = run("demo", "--code", folder, "--base", tiny_folder, "--out", out)
    assert code == 2
    assert "To mend:" in complaint
    assert not out.exists()


@pytest.mark.slow
def test_the_demo_makes_minilm_better(run, tmp_path: Path):
    code, said, _ = run("demo", "--out", tmp_path / "demo", "--json")
    assert code == 0
    value = json.loads(said)
    assert value["verdict"] == "better"
    lead = next(
        one
        for one in value["differences"]
        if (one["metric"], one["against"]) == ("ndcg@10", "minilm")
    )
    assert lead["value"] > 0.06
