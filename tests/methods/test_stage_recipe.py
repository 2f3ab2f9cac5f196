"""What a recipe of stages may say, and what it means."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likewise.errors import InputError
from likewise.methods.stage_recipe import (
    Stage,
    StagedRecipe,
    build_staged,
    makes_of,
    names_model,
    refuse_changed_stages,
)


def stage(name: str = "one", **more) -> dict:
    return {"name": name, "data": "texts.txt", **more}


def build(*stages: dict, **top) -> StagedRecipe:
    return build_staged({"stages": list(stages), **top}, where="adapt.toml")


def error_of(*stages: dict, **top) -> InputError:
    with pytest.raises(InputError) as caught:
        build(*stages, **top)
    assert caught.value.where.path == "adapt.toml"
    return caught.value


def test_each_stage_starts_from_the_one_before_and_the_first_from_the_base():
    found = build(stage("a"), stage("b"), stage("c"), base="my/model").stages
    assert [one.base for one in found] == ["my/model", "stage:a", "stage:b"]
    assert build(stage("a")).stages[0].base == "minilm"


def test_a_cross_encoder_between_two_stages_is_passed_over():
    cross = stage("ce", method="cross-encoder")
    found = build(stage("a"), cross, stage("b"), {**cross, "name": "ce2"}).stages
    assert [one.base for one in found] == ["minilm", "stage:a", "stage:a", "stage:b"]


def test_a_base_is_a_stage_by_its_name_or_a_model(tmp_path: Path):
    names = ["a", "stage:a", "minilm", "hub:org/model", "cls:minilm", "my/base", str(tmp_path)]
    stages = [stage("a"), *(stage(f"s{i}", base=name) for i, name in enumerate(names))]
    found = [one.base for one in build(*stages, base="my/base").stages[1:]]
    assert found == ["stage:a", "stage:a", *names[2:]]
    assert not names_model("a")


def test_training_options_of_all_stages_stand_under_those_of_one():
    found = build(
        stage("a"), stage("b", training={"epochs": 3}), training={"epochs": 1, "seed": 5}
    ).stages
    assert found[0].training == {"epochs": 1, "seed": 5}
    assert found[1].training == {"epochs": 3, "seed": 5}


def test_stages_in_options_become_the_folders_of_their_models():
    options = {"miners": "base,stage:a,bm25", "teacher": "stage:b", "count": 3}
    last = build(stage("a"), stage("b"), stage("c", training={"seed": 1}, options=options)).stages[
        2
    ]
    folders = {"a": Path("/run/1-a/model"), "b": Path("/run/2-b/model")}
    assert last.references == ("b", "a", "b")
    assert last.settings(folders) == {
        "seed": 1,
        "miners": "base,/run/1-a/model,bm25",
        "teacher": "/run/2-b/model",
        "count": 3,
    }


@pytest.mark.parametrize(
    ("stages", "top", "problem", "mend"),
    [
        ([], {}, "there are no stages", "[[stages]]"),
        ([3], {}, "stages[1]: expected a table, found 3", "[[stages]]"),
        ([{"data": "a.txt"}], {}, "stages[1] has no name", "name ="),
        ([{"name": "a"}], {}, 'stage "a" has no data', "data ="),
        ([stage("a"), stage("a")], {}, 'two stages have the name "a"', "a name of its own"),
        ([stage("a/b")], {}, '"a/b" cannot be the name of a stage', "letters, digits"),
        ([stage("BM25")], {}, '"BM25" cannot be the name', "letters"),
        ([stage("minilm")], {}, '"minilm" cannot be the name', "no model's name"),
        ([stage("a", epochs=3)], {}, 'stage "a" has no key "epochs"', "it takes"),
        ([stage("a", methd="mnr")], {}, 'stage "a" has no key "methd"', "method"),
        ([stage("a", training={"epoch": 1})], {}, 'of stage "a" has no key "epoch"', "epochs"),
        ([stage("a", training={"epochs": "x"})], {}, '[training] of stage "a" epochs', "epochs"),
        ([stage("a", training={"epochs": -1})], {}, 'of stage "a" epochs must', "change"),
        ([stage("a", training=3)], {}, '[training] of stage "a": expected a table', "one a line"),
        ([stage("a", options=3)], {}, 'stage "a", options', "options"),
        ([stage("a", data=3)], {}, 'stage "a", data', "data"),
        ([stage("a", base="b")], {}, 'names the stage "b", and there is no such stage', "first"),
        ([stage("a", base="b"), stage("b")], {}, 'names the stage "b", which comes later', "first"),
        ([stage("a"), stage("b", base="b")], {}, "which is the stage itself", "before it: a"),
        ([stage("a"), stage("b", options={"o": "stage:x"})], {}, '"b" names the stage "x"', "a"),
        ([stage("a", method="mnrr")], {}, 'stage "a": there is no method "mnrr"', "mnr"),
        ([stage("a")], {"data": "x"}, '"data" stands beside [[stages]]', "below the [[stages]]"),
        ([stage("a")], {"method": "x"}, '"method" stands beside [[stages]]', "below"),
        ([stage("a")], {"options": {}}, '"options" stands beside [[stages]]', "below"),
        ([stage("a")], {"bse": "x"}, 'a recipe of stages has no key "bse"', "base"),
        ([stage("a")], {"training": {"sed": 1}}, '[training] has no key "sed"', "seed"),
        ([stage("a")], {"dev": 3}, "dev", "dev"),
    ],
)  # fmt: skip
def test_a_wrong_recipe_is_refused_with_stage_and_key(stages, top, problem: str, mend: str):
    with pytest.raises(InputError) as caught:
        build(*stages, **top)
    assert problem in caught.value.problem
    assert mend in caught.value.mend
    assert caught.value.where is not None


def test_stages_that_are_no_tables_are_refused():
    with pytest.raises(InputError, match="stages: expected tables"):
        build_staged({"stages": {"a": 1}}, where="adapt.toml")


def test_what_a_method_makes_is_known_before_it_runs():
    assert [makes_of(m) for m in ("auto", "tsdae", "cross-encoder")] == [
        "encoder", "encoder", "cross-encoder",
    ]  # fmt: skip


names = st.text("abcXYZ09-_", min_size=1, max_size=5).filter(lambda n: n[0] not in "-_")
values = st.integers(-5, 5) | st.booleans() | st.text(max_size=4).filter(lambda t: ":" not in t)


@given(
    st.lists(
        st.tuples(names, st.dictionaries(st.sampled_from("abc"), values), st.none() | names),
        min_size=1,
        max_size=4,
        unique_by=lambda part: part[0],
    )
)
def test_a_recipe_written_and_read_is_the_same(parts):
    stages = [
        Stage(
            name=name,
            data=("a.txt", "b.txt"),
            method="mnr",
            base="minilm",
            options=options,
            dev=dev,
            score_range=(0.0, 5.0) if dev else None,
            columns={"anchor": "title"} if options else {},
        )
        for name, options, dev in parts
    ]
    recipe = StagedRecipe(dev="dev.csv", stages=tuple(stages))
    assert build_staged(tomllib.loads(recipe.to_toml()), where="x") == recipe


class TestResume:
    def begun(self, path: Path) -> Path:
        path.write_text(
            build(
                stage("a", training={"epochs": 1}), stage("b"), stage("c"), dev="dev.csv"
            ).to_toml()
        )
        return path

    def ask(self, *, dev: str = "dev.csv", a: int = 1, b: str = "texts.txt", c: str = "mnr"):
        return build(
            stage("a", training={"epochs": a}),
            stage("b", data=b),
            stage("c", method=c),
            dev=dev,
        )

    def test_the_same_recipe_goes_on(self, tmp_path: Path):
        refuse_changed_stages(self.begun(tmp_path / "r.toml"), self.ask(), ["1-a", "2-b"])

    def test_what_was_not_begun_may_change(self, tmp_path: Path):
        path = self.begun(tmp_path / "r.toml")
        refuse_changed_stages(path, self.ask(c="cosine"), ["1-a", "2-b"])
        refuse_changed_stages(path, build(stage("a", training={"epochs": 1}), dev="dev.csv"), ["1"])
        refuse_changed_stages(path, self.ask(a=9, dev="other"), [])

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"a": 2}, "stages.a.training.epochs = 1, now 2"),
            ({"b": "new.txt"}, "stages.b.data = ['texts.txt'], now ['new.txt']"),
            ({"dev": "new.csv"}, "dev = 'dev.csv', now 'new.csv'"),
        ],
    )
    def test_what_was_begun_may_not(self, change: dict, said: str, tmp_path: Path):
        path = self.begun(tmp_path / "r.toml")
        with pytest.raises(InputError) as caught:
            refuse_changed_stages(path, self.ask(**change), ["1-a", "2-b"])
        assert said in caught.value.problem
        assert "--out" in caught.value.mend

    def test_another_order_is_another_run(self, tmp_path: Path):
        path = self.begun(tmp_path / "r.toml")
        asked = build(stage("b"), stage("a", training={"epochs": 1}), dev="dev.csv")
        with pytest.raises(InputError, match=r"stages\[1\].name = 'a', now 'b'"):
            refuse_changed_stages(path, asked, ["1-a"])

    def test_a_run_of_one_method_is_no_run_of_stages(self, tmp_path: Path):
        path = tmp_path / "r.toml"
        path.write_text('method = "mnr"\n')
        with pytest.raises(InputError, match="begun with one method, now with stages"):
            refuse_changed_stages(path, self.ask(), [])

    def test_where_there_is_no_recipe_nothing_was_begun(self, tmp_path: Path):
        refuse_changed_stages(tmp_path / "none.toml", self.ask(), [])
