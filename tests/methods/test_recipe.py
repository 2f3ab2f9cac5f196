import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from likewise.errors import InputError
from likewise.methods.recipe import Recipe, build_recipe, read_recipe, resolve_options
from likewise.training.options import TrainingOptions

names = st.text(min_size=1, max_size=12)
recipes = st.builds(
    Recipe,
    data=st.lists(names, max_size=3).map(tuple),
    base=names,
    method=st.sampled_from(["mnr", "cosine", "auto"]),
    dev=st.none() | names,
    training=st.builds(
        TrainingOptions,
        epochs=st.floats(0.01, 100),
        minutes=st.none() | st.floats(0.1, 60),
        batch_size=st.integers(1, 4096),
        learning_rate=st.floats(1e-9, 0.1),
        schedule=st.sampled_from(["linear", "cosine", "constant"]),
        dropout=st.none() | st.floats(0, 0.9),
        seed=st.integers(0, 2**31),
        evaluations=st.none() | st.integers(0, 9),
        keep=st.sampled_from(["best", "last"]),
    ),
    options=st.dictionaries(
        st.sampled_from("abc"), st.floats(-1e6, 1e6) | st.booleans() | names, max_size=3
    ),
)


@given(recipes)
def test_a_recipe_written_and_read_is_the_same(tmp_path_factory, recipe: Recipe):
    path = tmp_path_factory.mktemp("recipe") / "recipe.toml"
    path.write_bytes(recipe.to_toml().encode())
    assert build_recipe(read_recipe(path), where=str(path)) == recipe


def test_an_option_that_is_not_set_is_left_out():
    toml = Recipe(options={"limit": None, "scale": 2.0}).to_toml()
    assert "limit" not in toml
    assert "scale = 2.0" in toml


def test_what_is_not_written_has_its_default():
    assert build_recipe({}) == Recipe()
    assert build_recipe({"data": "one.csv"}).data == ("one.csv",)
    built = build_recipe({"training": {"epochs": 3}})
    assert built.training == dataclasses.replace(TrainingOptions(), epochs=3.0)


@pytest.mark.parametrize(
    ("given", "problem", "mend"),
    [
        ({"metod": "mnr"}, 'the recipe has no key "metod"', "method"),
        ({"training": {"epoch": 1}}, '[training] has no key "epoch"', "epochs"),
        ({"training": {"epochs": "many"}}, "epochs", "epochs"),
        ({"training": {"keep": "worst"}}, "keep", "keep"),
        ({"training": {"batch_size": 2.5}}, "batch_size", "batch_size"),
        ({"training": {"epochs": -1}}, "epochs must be over 0", "epochs"),
        ({"training": 3}, "training", "[training]"),
        ({"options": 3}, "options", "options"),
        ({"base": 3}, "base", "base"),
        ({"data": 3}, "data", "data"),
    ],
)
def test_a_wrong_recipe_is_refused_with_file_and_key(given, problem: str, mend: str):
    with pytest.raises(InputError) as caught:
        build_recipe(given, where="my.toml")
    assert problem in caught.value.problem
    assert mend in caught.value.mend
    if "must be" not in problem:
        assert caught.value.where.path == "my.toml"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a = [", "not TOML"),
        (b"\xff\xfe", "not TOML"),
        (b"a = 1\nb = = 2", "line 2"),
        (b"training = 3", "training: expected a table, found 3"),
        (b"options = 3", "options: expected a table, found 3"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_recipe_is_named(tmp_path: Path, content: bytes | None, said: str):
    path = tmp_path / "recipe.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        read_recipe(path)
    assert caught.value.where.path == str(path)


def test_options_given_and_defaults_are_resolved_together():
    found = resolve_options("mnr", {"scale": 30})
    assert found == {"scale": 30.0, "symmetric": False, "negatives": "hard"}


def test_an_option_of_another_method_is_not_taken():
    with pytest.raises(InputError, match='no option "scale"'):
        resolve_options("softmax", {"scale": 30})


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("mnr", {"scale": -1}),
        ("kl", {"temperature": 0}),
        ("triplet", {"margin": -2}),
        ("contrastive", {"margin": "inf"}),
    ],
)
def test_an_option_of_a_loss_is_held_to_its_limits(method: str, options: dict):
    (name,) = options
    with pytest.raises(InputError, match=f"{name}: .*found") as caught:
        resolve_options(method, options)
    assert caught.value.mend == f"change {name}"
