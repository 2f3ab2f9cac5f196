"""Recipes as rows, checked before anything is trained."""

from pathlib import Path

import pytest

from comparison.recipe_files import TRAINING, write_recipe
from conftest import write_lines
from likewise.comparison.rows import make_row, plan_jobs, read_rows, untouched_row
from likewise.errors import InputError


def identity(path: Path, out: Path) -> str:
    (job,) = plan_jobs(read_rows([path]), out)
    return job.identity


def test_a_row_is_named_after_its_file_and_is_one_stage(recipes: list[Path]):
    rows = read_rows(recipes)
    assert [row.name for row in rows] == ["mnr", "simcse"]
    assert [[stage.method for stage in row.recipe.stages] for row in rows] == [["mnr"], ["simcse"]]


def test_a_recipe_of_stages_stays_as_it_is(recipes: list[Path], texts_file, pairs_file, tmp_path):
    stages = [
        {"name": "first", "method": "simcse", "data": str(texts_file)},
        {"name": "then", "method": "mnr", "data": str(pairs_file)},
    ]
    tables = {"dev": str(tmp_path / "dev.jsonl"), "training": TRAINING, "stages": stages}
    (row,) = read_rows([write_recipe(tmp_path / "both.toml", tables)])
    assert [stage.name for stage in row.recipe.stages] == ["first", "then"]


def test_dev_and_base_of_the_call_win(recipes: list[Path], tmp_path: Path):
    rows = read_rows(recipes, dev="other.jsonl", base="minilm")
    assert {row.recipe.dev for row in rows} == {"other.jsonl"}
    assert {row.recipe.base for row in rows} == {"minilm"}


def test_every_seed_is_a_job_with_a_folder_of_its_own(recipes: list[Path], tmp_path: Path):
    jobs = plan_jobs(read_rows(recipes), tmp_path / "out", seeds=2)
    assert [(job.row.name, job.seed) for job in jobs] == [
        ("mnr", 0), ("mnr", 1), ("simcse", 0), ("simcse", 1),
    ]  # fmt: skip
    assert len({job.folder for job in jobs}) == len({job.identity for job in jobs}) == 4
    assert [job.recipe.stages[0].training["seed"] for job in jobs] == [0, 1, 0, 1]


def test_labels_are_those_that_a_row_learns_from(recipes: list[Path], tmp_path: Path):
    jobs = plan_jobs(read_rows(recipes), tmp_path / "out")
    assert [job.labels for job in jobs] == [64, 0]
    assert [job.rows for job in jobs] == [64, 64]


@pytest.mark.parametrize(("views", "labels"), [("auto", 64), ("dropout", 0)])
def test_simcse_learns_from_pairs_where_it_trains_on_them(
    views: str, labels: int, recipes: list[Path], pairs_file: Path, tiny_folder: Path, tmp_path
):
    tables = {
        "base": str(tiny_folder), "data": str(pairs_file), "method": "simcse",
        "dev": read_rows(recipes)[0].recipe.dev, "options": {"views": views},
    }  # fmt: skip
    (job,) = plan_jobs([make_row("views", tables, where="here")], tmp_path / "out")
    assert job.labels == labels


def test_of_augmented_rows_the_share_with_labels_counts(
    tiny_folder: Path, scored_file: Path, tmp_path: Path
):
    tables = {
        "base": str(tiny_folder), "data": str(scored_file), "method": "augmented",
        "dev": str(tmp_path / "dev.jsonl"), "options": {"gold_fraction": 0.25},
    }  # fmt: skip
    write_lines(
        tmp_path / "dev.jsonl",
        ({"sentence1": f"every {i}", "sentence2": f"day {i}", "score": i % 6} for i in range(30)),
    )
    (job,) = plan_jobs([make_row("few", tables, where="here")], tmp_path / "out")
    assert job.labels == 15


def test_a_row_may_be_a_model_as_it_is(recipes: list[Path], tiny_folder: Path, tmp_path: Path):
    dev = read_rows(recipes)[0].recipe.dev
    row = untouched_row("as-it-is", str(tiny_folder), dev, where="here")
    jobs = plan_jobs([row, *read_rows(recipes)], tmp_path / "out", seeds=2, minutes=8)
    assert [(job.row.name, job.seed) for job in jobs][:2] == [("as-it-is", 0), ("mnr", 0)]
    assert (jobs[0].labels, jobs[0].rows) == (0, 0)
    assert {job.recipe.stages[0].training["minutes"] for job in jobs[1:]} == {2.0}
    missing = untouched_row("gone", "no/such/folder/here", dev, where="here")
    with pytest.raises(InputError, match="no/such/folder/here"):
        plan_jobs([missing], tmp_path / "out")


def test_time_is_shared_by_all_runs_and_stages(recipes: list[Path], tmp_path: Path):
    jobs = plan_jobs(read_rows(recipes), tmp_path / "out", seeds=3, minutes=12)
    assert {job.recipe.stages[0].training["minutes"] for job in jobs} == {2.0}


def test_the_identity_follows_recipe_data_and_weights(
    recipes: list[Path], pairs_file: Path, tiny_folder: Path, tmp_path: Path
):
    before = identity(recipes[0], tmp_path / "out")
    assert identity(recipes[0], tmp_path / "elsewhere") == before
    text = recipes[0].read_text()
    recipes[0].write_text(text.replace("epochs = 1", "epochs = 2"))
    assert identity(recipes[0], tmp_path / "out") != before
    recipes[0].write_text(text)
    lines = pairs_file.read_text()
    pairs_file.write_text(lines.replace("home", "any"))
    assert identity(recipes[0], tmp_path / "out") != before
    pairs_file.write_text(lines)
    assert identity(recipes[0], tmp_path / "out") == before
    weights = tiny_folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    assert identity(recipes[0], tmp_path / "out") != before


def test_recipes_on_different_dev_sets_are_refused(recipes: list[Path], tmp_path: Path):
    other = write_lines(
        tmp_path / "other.jsonl", ({"anchor": f"may {i}", "positive": f"can {i}"} for i in range(9))
    )
    text = recipes[1].read_text()
    recipes[1].write_text(text.replace(str(tmp_path / "dev.jsonl"), str(other)))
    with pytest.raises(InputError, match="nothing can be compared") as caught:
        plan_jobs(read_rows(recipes), tmp_path / "out")
    assert "mnr.toml" in caught.value.problem
    assert "other.jsonl" in caught.value.problem
    assert "--dev" in caught.value.mend
    assert len(plan_jobs(read_rows(recipes, dev=str(other)), tmp_path / "out")) == 2


def test_dev_rows_in_the_training_data_are_refused_before_anything_runs(
    recipes: list[Path], pairs_file: Path, tmp_path: Path
):
    with pytest.raises(InputError, match="stand in the training data") as caught:
        plan_jobs(read_rows(recipes, dev=str(pairs_file)), tmp_path / "out")
    assert 'stage "mnr"' in caught.value.problem


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"dev": None}, "names no data to measure on"),
        ({"data": None}, "names no data"),
        ({"methd": "mnr"}, 'no key "methd"'),
        ({"training": {"epocs": 1}}, 'no key "epocs"'),
    ],
)
def test_a_wrong_recipe_names_its_file(change: dict, problem: str, pairs_file: Path, tmp_path):
    tables = {"data": str(pairs_file), "dev": "dev.jsonl"} | change
    path = write_recipe(tmp_path / "a.toml", {k: v for k, v in tables.items() if v is not None})
    with pytest.raises(InputError, match=problem) as caught:
        read_rows([path])
    assert "a.toml" in str(caught.value)


def test_two_recipes_of_one_name_are_refused(recipes: list[Path], tmp_path: Path):
    (tmp_path / "other").mkdir()
    twin = write_recipe(tmp_path / "other" / "mnr.toml", {"data": "a.csv", "dev": "b.csv"})
    with pytest.raises(InputError, match='two recipes have the name "mnr"'):
        read_rows([recipes[0], twin])


@pytest.mark.parametrize(
    ("name", "expected"), [("my run, again", "my-run-again"), ("minilm", "row-minilm")]
)
def test_a_name_becomes_one_of_a_folder(name: str, expected: str, pairs_file: Path):
    tables = {"data": str(pairs_file), "dev": "dev.jsonl"}
    assert make_row(name, tables, where="here").name == expected
