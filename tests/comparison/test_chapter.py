"""The chapter's set-ups as rows."""

from pathlib import Path

import pytest

from conftest import NOUNS, VERBS, write_lines
from likewise.comparison.chapter import QUICK_ROWS, chapter_rows
from likewise.comparison.rows import plan_jobs
from likewise.comparison.run import compare_rows

TRAINED = [
    "softmax", "cosine", "mnr", "minilm-mnr", "augmented", "tsdae", "simcse", "contrastive-tension",
]  # fmt: skip


@pytest.fixture
def nli_file(tmp_path: Path) -> Path:
    rows = (
        {
            "premise": f"someone does {verb} the {noun}",
            "hypothesis": f"{word} does {verb} {which} {noun}",
            "label": label,
        }
        for verb in VERBS
        for noun in NOUNS
        for label, (word, which) in enumerate(
            (("someone", "a"), ("people", "every"), ("nobody", "any"))
        )
    )
    return write_lines(tmp_path / "nli.jsonl", rows)


@pytest.fixture
def sts_file(tmp_path: Path) -> Path:
    rows = (
        {
            "sentence1": f"how to {verb}",
            "sentence2": f"can you {other}",
            "score": 5 * (verb == other),
        }
        for verb in VERBS
        for other in VERBS
    )
    return write_lines(tmp_path / "sts.jsonl", rows)


def test_every_row_is_there_and_measured_on_the_same(nli_file: Path, sts_file: Path):
    rows = chapter_rows(str(nli_file), str(sts_file), base="scratch:mini", vectors="glove.npz")
    untouched = ["base-mean", "base-cls", "minilm-untouched", "word-vectors"]
    assert [row.name for row in rows] == [*untouched, *TRAINED]
    assert {row.recipe.dev for row in rows} == {str(sts_file)}
    assert [bool(row.recipe.stages) for row in rows] == [False] * 4 + [True] * 8
    bases = {row.name: row.recipe.base for row in rows}
    assert bases["minilm-mnr"] == "minilm"
    assert bases["tsdae"] == "scratch:mini"
    assert rows[4].reference == "0.59"


def test_a_learning_rate_is_for_what_starts_from_the_base(nli_file: Path, sts_file: Path):
    rows = chapter_rows(str(nli_file), str(sts_file), base="minilm", learning_rate=1e-3)
    rates = {
        row.name: row.recipe.stages[0].training.get("learning_rate")
        for row in rows
        if row.recipe.stages
    }
    assert rates.pop("minilm-mnr") == 2e-5
    assert set(rates) == {*TRAINED} - {"minilm-mnr"}
    assert set(rates.values()) == {1e-3}


def test_rows_without_labels_learn_from_none(nli_file: Path, sts_file: Path, tmp_path: Path):
    rows = chapter_rows(str(nli_file), str(sts_file), base="scratch:mini")
    plain = [row for row in rows if row.name in TRAINED[-3:]]
    jobs = plan_jobs(plain, tmp_path / "out")
    assert [job.labels for job in jobs] == [0, 0, 0]
    assert [job.recipe.stages[0].options.get("views") for job in jobs] == [None, "dropout", None]


def test_rows_are_drawn_once_and_are_the_same_for_all(
    tiny_folder: Path, nli_file: Path, sts_file: Path, tmp_path: Path
):
    rows = chapter_rows(str(nli_file), str(sts_file), base=str(tiny_folder), rows=90)
    jobs = plan_jobs([row for row in rows if row.name in TRAINED[:3]], tmp_path / "out")
    assert len({str(job.plan.stages[0].trained_on) for job in jobs}) == 1
    assert [job.labels for job in jobs] == [90, 90, 90]
    (few,) = plan_jobs([row for row in rows if row.name == "augmented"], tmp_path / "out")
    assert few.labels == 18
    (none,) = plan_jobs([row for row in rows if row.name == "tsdae"], tmp_path / "out")
    assert (none.labels, none.rows) == (0, 90)


def test_quick_is_a_number_of_rows(nli_file: Path, sts_file: Path):
    quick = chapter_rows(str(nli_file), str(sts_file), quick=True)
    assert {stage.rows for row in quick for stage in row.recipe.stages} == {QUICK_ROWS}
    chosen = chapter_rows(str(nli_file), str(sts_file), quick=True, rows=12)
    assert {stage.rows for row in chosen for stage in row.recipe.stages} == {12}


def test_rows_without_training_stand_in_the_same_table(
    tiny_folder: Path, nli_file: Path, sts_file: Path, tmp_path: Path
):
    """In processes of their own."""
    rows = chapter_rows(str(nli_file), str(sts_file), base=str(tiny_folder), rows=90)
    chosen = [row for row in rows if row.name in {"base-mean", "base-cls", "cosine"}]
    found = compare_rows(chosen, out=tmp_path / "out", seeds=2)
    assert [line.problem for line in found.lines] == ["", "", ""]
    assert [line.seeds for line in found.lines] == [1, 1, 2]
    assert [line.labels for line in found.lines] == [0, 0, 90]
    assert found.against_first["cosine"].against == "base-mean"
    untouched = [found.result(name).scores["pearson"].value for name in ("base-mean", "base-cls")]
    assert untouched[0] != untouched[1]
