"""What is found out about stages before the first of them runs."""

from pathlib import Path

import pytest

from conftest import TOPICS, answer, question, write_lines
from likewise.errors import InputError
from likewise.methods.stage_check import in_stage, plan_stages
from likewise.methods.stage_recipe import build_staged
from methods.stage_runs import two_stages, write_dev


@pytest.fixture
def tables(tiny_folder: Path, texts_file: Path, pairs_file: Path, tmp_path: Path) -> dict:
    return two_stages(tiny_folder, texts_file, pairs_file, write_dev(tmp_path / "dev.jsonl"))


def plan(tables: dict, folder: Path, *, allow_leak: bool = False):
    return plan_stages(build_staged(tables, where="adapt.toml"), folder, allow_leak=allow_leak)


def error_of(tables: dict) -> InputError:
    with pytest.raises(InputError) as caught:
        plan(tables, Path("/run"))
    return caught.value


def test_everything_is_decided_and_every_file_read_once(tables, tmp_path: Path, pairs_file: Path):
    tables["stages"].append({"name": "more", "data": str(pairs_file)})
    found = plan(tables, tmp_path / "run")
    assert [one.folder.name for one in found.stages] == ["1-texts", "2-pairs", "3-more"]
    assert [one.stage.method for one in found.stages] == ["simcse", "mnr", "mnr"]
    assert found.stages[1].stage.options["scale"] == 10.0
    assert found.stages[0].stage.training["batch_size"] == 16
    assert found.stages[1].rows is found.stages[2].rows
    assert len(found.files) == 3
    assert found.common is not None
    assert len(found.common) == 32
    assert not (tmp_path / "run").exists()


def test_without_common_data_the_last_stages_own_is_common(tables, tmp_path: Path):
    tables["stages"][1]["dev"] = tables.pop("dev")
    found = plan(tables, tmp_path / "run")
    assert found.stages[0].dev is None
    assert found.common is not None
    assert found.common.fingerprint == found.stages[1].dev.fingerprint
    del tables["stages"][1]["dev"]
    assert plan(tables, tmp_path / "run").common is None


def test_rows_of_the_common_data_are_spared_where_a_stage_has_its_own(tables, tmp_path: Path):
    own = [{"anchor": f"a {i}", "positive": f"b {i}"} for i in range(12)]
    shared = [{"anchor": question(*t), "positive": answer(*t)} for t in TOPICS[:2]]
    strange = [{"anchor": f"new {i}", "positive": f"other {i}"} for i in range(30)]
    tables["dev"] = str(write_lines(tmp_path / "shared.jsonl", [*shared, *strange]))
    tables["stages"][1]["dev"] = str(write_lines(tmp_path / "own.jsonl", own))
    found = plan(tables, tmp_path / "run").stages[1]
    assert len(found.rows) == 62
    assert "2 of 32 dev rows" in found.notes[0]


def test_how_data_is_read_is_said_by_its_stage(tables, tmp_path: Path):
    rows = "".join(f"paint {i},a guide to {i},3\n" for i in range(20))
    path = tmp_path / "odd.csv"
    path.write_text("title,body,score\n" + rows + "bad,,1\n")
    columns = {"anchor": "title", "positive": "body"}
    tables["stages"][1] |= {
        "data": str(path), "kind": "pairs", "columns": columns, "skip_bad": True,
    }  # fmt: skip
    assert len(plan(tables, tmp_path).stages[1].rows) == 20


def test_a_cross_encoder_is_measured_where_it_can_be(tables, tmp_path: Path, labelled_file: Path):
    tables["stages"].append(
        {"name": "ce", "method": "cross-encoder", "data": tables["stages"][1]["data"]}
    )
    assert plan(tables, tmp_path).stages[2].dev is not None
    tables["dev"] = str(labelled_file)  # neighbours are found by vectors alone
    found = plan(tables, tmp_path, allow_leak=True)
    assert found.stages[2].dev is None
    assert found.stages[1].dev is not None


def augmented(option: str, value: str) -> dict:
    return {"method": "augmented", "options": {option: value}}


def gpl(**options) -> dict:
    return {"method": "gpl", "options": {"teacher": "minilm"} | options}


def change(tables: dict, number: int, **values) -> dict:
    tables["stages"][number] |= values
    return tables


def test_a_missing_file_of_a_late_stage_is_named_at_once(tables, tmp_path: Path):
    error = error_of(change(tables, 1, data=str(tmp_path / "none.csv")))
    assert error.problem == 'stage "pairs": there is no such file'
    assert str(error.where).endswith("none.csv")


@pytest.mark.parametrize(
    ("number", "values", "problem", "mend"),
    [
        (1, {"method": "softmax"}, 'stage "pairs": the method softmax takes nli', "--method"),
        (1, {"options": {"scal": 1}}, 'has an option "scal"', "scale"),
        (1, {"options": {"scale": -1}}, 'stage "pairs": ', "change scale"),
        (1, {"training": {"batch_size": 1}}, "a batch of one row has no negatives", "--batch-size"),
        (1, {"base": "no/such"}, 'stage "pairs": ', ""),
        (1, {"base": "static:none.txt"}, 'stage "pairs": there is no such file', "ls"),
        (1, {"dev": "none.csv"}, 'stage "pairs": there is no such file', "ls"),
        (0, augmented("pool", "none.csv"), "there is no such file", "ls"),
        (0, augmented("teacher", "nobody"), 'no model folder "nobody"', "give"),
        (1, {"method": "tsdae", "options": {"ratio": 2}}, "ratio", "change ratio"),
        (1, {"method": "tsdae", "options": {"noise": "delet"}}, 'no noise "delet"', "delete"),
        (1, gpl(teacher=""), "needs a cross-encoder, and none is named", "--method cross-encoder"),
        (1, gpl(generator="nobody"), 'no model folder "nobody"', "give"),
        (1, gpl(miners="base,nobody"), 'no model folder "nobody"', "give"),
        (1, gpl(negatives_per_query=0), "negatives_per_query", "change negatives_per_query"),
    ],
)  # fmt: skip
def test_what_a_later_stage_could_not_do_is_said_at_once(
    number, values, problem: str, mend: str, tables, monkeypatch
):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    error = error_of(change(tables, number, **values))
    assert problem in error.problem
    assert mend in error.mend


@pytest.mark.parametrize(
    ("method", "options", "problem"),
    [
        ("augmented", {"teacher": "stage:texts"}, "teacher has to be a cross-encoder"),
        ("gist", {"guide": "stage:ce"}, "guide has to be an embedding model"),
        ("mnr", {}, "base has to be an embedding model"),
        ("augmented", {"teacher": "stage:nli"}, "answers 3 labels; a score is needed"),
        ("gpl", {"teacher": "stage:ce", "miners": "base,stage:ce"}, "miner has to be an embedding"),
    ],
)
def test_a_stage_of_the_wrong_sort_is_no_teacher_or_base(
    method: str, options: dict, problem: str, tables, nli_file: Path
):
    pairs = tables["stages"][1]["data"]
    tables["stages"][1:] = [
        {"name": "ce", "method": "cross-encoder", "data": pairs},
        {"name": "nli", "method": "cross-encoder", "data": str(nli_file)},
        {"name": "last", "method": method, "data": pairs, "options": options},
    ]
    if method == "mnr":
        tables["stages"][-1]["base"] = "ce"
    error = error_of(tables)
    assert problem in error.problem
    assert 'stage "last"' in error.problem


def test_the_right_sort_is_taken(tables, tmp_path: Path):
    pairs = tables["stages"][1]["data"]
    tables["stages"][1:] = [
        {"name": "ce", "method": "cross-encoder", "data": pairs},
        {"name": "last", "method": "augmented", "data": pairs, "options": {"teacher": "stage:ce"}},
        {"name": "gist", "method": "gist", "data": pairs, "options": {"guide": "stage:texts"}},
    ]
    found = plan(tables, tmp_path).stages
    assert found[2].stage.options["teacher"] == "stage:ce"
    assert found[2].stage.base == "stage:texts"


def test_leaking_data_stops_every_stage_unless_it_is_allowed(tables, tmp_path: Path):
    tables["dev"] = tables["stages"][1]["data"]
    with pytest.raises(InputError, match='stage "pairs": 64 of 64 dev rows stand'):
        plan(tables, tmp_path)
    assert plan(tables, tmp_path, allow_leak=True).common is not None


def test_an_error_inside_a_stage_names_it_and_keeps_its_place():
    with (
        pytest.raises(InputError, match='stage "a": it is wrong\nTo mend: change it'),
        in_stage("a"),
    ):
        raise InputError("it is wrong", mend="change it")


def test_an_error_about_what_a_stage_says_names_the_recipe(tables):
    change(tables, 1, options={"scal": 1})
    with pytest.raises(InputError, match=r'^adapt.toml: stage "pairs": ') as caught:
        plan_stages(
            build_staged(tables, where="adapt.toml"), Path("/run"), allow_leak=False,
            where="adapt.toml",
        )  # fmt: skip
    assert "scale" in caught.value.mend


def test_so_many_rows_are_drawn_by_the_seed(tiny_folder, texts_file, pairs_file, tmp_path: Path):
    def drawn(rows: int | None, seed: int = 0):
        tables = two_stages(tiny_folder, texts_file, pairs_file, None, seed=seed)
        for stage in tables["stages"]:
            stage |= {} if rows is None else {"rows": rows}
        recipe = build_staged(tables, where="here")
        return plan_stages(recipe, tmp_path / "run", allow_leak=False).stages[1]

    first = drawn(20)
    assert len(first.rows) == 20
    assert "20 of 64 rows are used, drawn at random" in first.notes
    assert drawn(20).rows.fingerprint == first.rows.fingerprint
    assert drawn(20, seed=1).rows.fingerprint != first.rows.fingerprint
    assert len(drawn(None).rows) == len(drawn(1000).rows) == 64
