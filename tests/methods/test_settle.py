"""From what was asked for to a recipe in which everything is decided."""

from pathlib import Path

import pytest

from likewise.errors import InputError
from likewise.methods import METHODS
from likewise.methods.settle import name_of, settle
from likewise.training.options import TrainingOptions
from methods.small_data import DATA
from training.small_runs import pairs


def ask(kind: str = "pairs", method: str = "auto", **settings):
    return settle(DATA[kind](6), "dev.csv", "minilm", method, settings)


def test_settings_go_to_the_loop_or_to_the_method():
    recipe = ask(method="augmented", kind="scored", epochs=2, top_k=3, gold_fraction=0.5)
    assert recipe.training == TrainingOptions(epochs=2.0)
    chosen = {key: recipe.options[key] for key in ("top_k", "gold_fraction", "sampling")}
    assert chosen == {"top_k": 3, "gold_fraction": 0.5, "sampling": "semantic"}
    assert (recipe.method, recipe.base, recipe.dev) == ("augmented", "minilm", "dev.csv")
    assert recipe.data == ("memory.jsonl",)


def test_auto_is_settled_and_every_default_written_down():
    recipe = ask()
    assert recipe.method == "mnr"
    assert recipe.options == {"scale": 20.0, "symmetric": False, "negatives": "hard"}


def test_text_from_a_command_line_becomes_values():
    recipe = ask(method="triplet", margin="0.5", soft_margin="true", matryoshka="16,8")
    assert (recipe.options["margin"], recipe.options["soft_margin"]) == (0.5, True)
    assert recipe.training.matryoshka == (16, 8)


def test_the_options_of_a_loss_are_those_of_the_method_of_its_name():
    recipe = ask(method="gist", scale=30)
    assert recipe.options["scale"] == 30
    assert recipe.options["guide"] == ""
    with pytest.raises(InputError, match='has an option "guide"'):
        ask(method="triplet", guide="minilm")


@pytest.mark.parametrize(
    ("kind", "method", "given", "offered"),
    [
        ("pairs", "mnr", "scal", "scale"),
        ("pairs", "mnr", "batchsize", "batch_size"),
        ("pairs", "triplet", "margn", "margin"),
        ("scored", "augmented", "topk", "top_k"),
        ("scored", "augmented", "gold_frac", "gold_fraction"),
        ("texts", "mse", "guid", "guide"),
        ("pairs", "cross-encoder", "negative", "negatives"),
        ("pairs", "distillation", "teach", "teacher"),
    ],
)
def test_an_unknown_setting_is_offered_the_nearest(kind: str, method: str, given, offered: str):
    with pytest.raises(InputError) as caught:
        ask(kind, method, **{given: 1})
    assert (
        caught.value.problem == f'neither training nor the method {method} has an option "{given}"'
    )
    assert offered in caught.value.mend


@pytest.mark.parametrize(
    ("given", "near"), [("tripet", "triplet"), ("cross_encoder", "cross-encoder"), ("gst", "gist")]
)
def test_an_unknown_method_or_loss_is_offered_the_nearest(given: str, near: str):
    with pytest.raises(InputError, match=f'there is no method "{given}"') as caught:
        ask(method=given)
    assert near in caught.value.mend


@pytest.mark.parametrize("method", ["contrastive", "online-contrastive", "softmax"])
def test_binary_losses_are_not_for_graded_scores(method: str):
    with pytest.raises(InputError, match=f"the method {method} takes .* data, found scored") as one:
        ask("scored", method)
    assert "cosine" in METHODS
    assert "--method" in one.value.mend
    assert "cosine" in one.value.mend


@pytest.mark.parametrize(
    ("kind", "method", "settings", "name"),
    [
        ("scored", "augmented", {"sampling": "nearest"}, "sampling"),
        ("scored", "augmented", {"top_k": "many"}, "top_k"),
        ("pairs", "cross-encoder", {"loss": "hinge"}, "loss"),
        ("pairs", "distillation", {"loss": "cosine"}, "loss"),
        ("pairs", "triplet", {"distance": "hamming"}, "distance"),
        ("pairs", "mnr", {"negatives": "some"}, "negatives"),
        ("pairs", "mnr", {"epochs": 0}, "epochs"),
    ],
)
def test_a_wrong_value_is_named(kind: str, method: str, settings, name: str):
    with pytest.raises(InputError) as caught:
        ask(kind, method, **settings)
    assert name in caught.value.problem
    assert name in caught.value.mend


def test_dev_data_is_named_by_file_or_set(retrieval):
    assert name_of(None) is None
    assert name_of("dev.csv") == name_of(Path("dev.csv")) == "dev.csv"
    assert name_of(pairs(4)) == "memory.jsonl"
    assert name_of(retrieval) == retrieval.name
