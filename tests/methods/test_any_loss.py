"""Any loss is a method by its own name, with its options, its guide and its head."""

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from conftest import make_folder
from likewise.errors import InputError
from likewise.losses import LOSSES
from likewise.methods import METHODS, train
from likewise.methods.auto import choose_method
from likewise.methods.recipe import resolve_options
from likewise.models.build import load
from likewise.models.cross_encoder import from_encoder
from likewise.registry import option_parameters
from methods.small_data import DATA, make_teacher
from training.small_runs import Log, Watch, make_data, make_fit, same_weights, scored, weights

BY_NAME = [name for name in LOSSES if name not in {"mnr", "cosine", "softmax"}]

# where half of the default would change nothing: all that a large margin asks for stays far
OTHER: dict[tuple[str, str], Any] = {
    ("triplet", "margin"): 0.001,
    ("batch-all", "margin"): 0.001,
    ("batch-hard", "margin"): 0.001,
    ("batch-semi-hard", "margin"): 0.001,
    ("gist", "margin"): 0.05,
    ("mega-batch-margin", "negative_margin"): 0.9999,
    ("mega-batch-margin", "positive_margin"): 0.9999,
}
WITH: dict[tuple[str, str], dict[str, Any]] = {("gist", "margin_strategy"): {"margin": 0.05}}


def changed(name: str, parameter: inspect.Parameter) -> Any:
    """Another value than the default."""
    default, known = parameter.default, OTHER.get((name, parameter.name))
    if known is not None:
        return known
    if isinstance(default, bool):
        return not default
    if default is None:
        return 2.0
    if isinstance(default, float):
        return default / 2
    return next(value for value in get_args(parameter.annotation) if value != default)


OPTIONS = [
    (name, parameter.name)
    for name in BY_NAME
    for parameter in option_parameters(METHODS[name].function)
    if parameter.name != "guide"
]


def trained(name: str, encoder, folder: Path, **options: Any):
    data = DATA[METHODS[name].kinds[0]](16)
    METHODS[name].function(make_fit(encoder, folder), data, **options)
    return weights(encoder)


@pytest.fixture
def run_loss(new_encoder, teacher_folder: Path, tmp_path: Path):
    def run_loss(name: str, **options: Any):
        given = {"guide": str(teacher_folder)} if name == "mse" else {}
        return trained(name, new_encoder(), tmp_path / repr(sorted(options)), **given, **options)

    return run_loss


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_an_option_of_a_loss_reaches_it(name: str, option: str, run_loss):
    parameters = {p.name: p for p in option_parameters(LOSSES[name].function)}
    others = WITH.get((name, option), {})
    value = changed(name, parameters[option])
    assert not same_weights(run_loss(name, **others), run_loss(name, **others, **{option: value}))


@pytest.mark.parametrize("name", BY_NAME)
def test_the_options_are_those_of_the_loss_with_its_defaults(name: str):
    own = {p.name: p.default for p in option_parameters(LOSSES[name].function)}
    guide = {"guide": ""} if LOSSES[name].guided else {}
    assert resolve_options(name, {}) == {**guide, **own}


@pytest.mark.parametrize("name", BY_NAME)
def test_the_help_explains_every_option_and_nothing_else(name: str):
    text = inspect.getdoc(METHODS[name].function) or ""
    assert LOSSES[name].use in text
    assert LOSSES[name].paper in text
    told = re.findall(r"^    (\w+): ", text, flags=re.MULTILINE)
    known = [parameter.name for parameter in option_parameters(METHODS[name].function)]
    assert sorted(told) == sorted(known)


def test_the_guide_is_the_frozen_base_where_none_is_named(
    new_encoder, tiny_folder: Path, tmp_path: Path
):
    encoder = new_encoder()
    before = weights(encoder)
    found = trained("gist", encoder, tmp_path / "a")
    assert not same_weights(found, before)
    # the same as with the base in a folder, which no training reaches
    assert same_weights(
        found, trained("gist", new_encoder(), tmp_path / "b", guide=str(tiny_folder))
    )


def test_a_named_guide_teaches_otherwise(new_encoder, tiny_folder: Path, tmp_path: Path):
    other = make_teacher(tiny_folder, tmp_path / "other", noise=0.5)
    found = [
        trained("gist", new_encoder(), tmp_path / str(guide), guide=guide)
        for guide in ("", str(other))
    ]
    assert not same_weights(*found)


def test_a_guide_of_another_width_judges_just_as_well(new_encoder, small_folder, tmp_path: Path):
    encoder = new_encoder()
    before = weights(encoder)
    after = trained("gist", encoder, tmp_path / "run", guide=str(small_folder))
    assert not same_weights(after, before)


@pytest.fixture
def small_folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "narrow", width=16)


@pytest.fixture
def wide_folder(tmp_path: Path) -> Path:
    return make_teacher(make_folder(tmp_path / "start", width=48), tmp_path / "wide", noise=0.5)


@pytest.mark.parametrize("width", [16, 48])
def test_a_student_learns_vectors_of_another_width(
    width: int, new_encoder, small_folder: Path, wide_folder: Path, tmp_path: Path
):
    log = Log()
    fit = make_fit(new_encoder(), tmp_path / "run", observers=[log], epochs=4, warmup=0.0)
    folder = small_folder if width == 16 else wide_folder
    METHODS["mse"].function(fit, DATA["texts"](32), guide=str(folder))
    losses = [step.loss for step in log.steps]
    assert np.mean(losses[-8:]) < np.mean(losses[:8])
    assert any(f"have {width} dimensions, the student's 32" in note for note in fit.notes)


def test_mse_needs_a_guide_and_says_how_to_name_one(tiny_encoder, tmp_path: Path):
    log = Log()
    fit = make_fit(tiny_encoder, tmp_path / "run", observers=[log])
    with pytest.raises(InputError, match="the method mse learns from another model") as caught:
        METHODS["mse"].function(fit, DATA["texts"](8))
    assert "--set guide=MODEL" in caught.value.mend
    assert log.events == []


@pytest.mark.parametrize("name", [name for name in LOSSES if LOSSES[name].guided])
def test_a_cross_encoder_is_no_guide(name: str, tiny_encoder, tmp_path: Path):
    cross = from_encoder(tiny_encoder, classes=1, seed=1).save(tmp_path / "cross")
    log = Log()
    fit = make_fit(tiny_encoder, tmp_path / "run", observers=[log])
    with pytest.raises(InputError, match=f"the method {name} needs a model that gives vectors"):
        METHODS[name].function(fit, DATA[METHODS[name].kinds[0]](8), guide=str(cross))
    assert log.events == []


def test_the_head_of_a_loss_follows_the_seed_and_not_the_model(new_encoder, tmp_path: Path):
    encoder = new_encoder()
    before = set(encoder.module.state_dict())
    first = trained("sigmoid", encoder, tmp_path / "a")
    assert set(encoder.module.state_dict()) == before
    assert same_weights(first, trained("sigmoid", new_encoder(), tmp_path / "b"))


def test_data_that_can_be_read_as_what_the_loss_takes_is(tiny_encoder, tmp_path: Path):
    fit = Watch(make_fit(tiny_encoder, tmp_path))
    METHODS["triplet"].function(fit, DATA["nli"](24))
    assert fit.data.kind == "pairs"
    assert any("entailments became pairs: 8" in note for note in fit.notes)


def test_rows_that_make_no_triplet_are_counted(tiny_encoder, tmp_path: Path):
    data = make_data(
        "pairs", anchor=["a", "b", "c"], positive=["d", "e", "f"], negative=["g", None, "h"]
    )
    fit = Watch(make_fit(tiny_encoder, tmp_path))
    METHODS["triplet"].function(fit, data)
    assert len(fit.data) == 2
    assert any(note.endswith("were left out: 1") for note in fit.notes)


PLUG_IN = '''
import torch
from likewise.losses.spec import LossSpec

def absolute(u, v, scores, *, power: float = 1.0):
    """How far cosines are from scores.

    Args:
        u: [B, D].
        v: [B, D].
        scores: [B].
        power: of each distance.
    """
    cosines = torch.nn.functional.cosine_similarity(u, v)
    return ((cosines - scores).abs() ** power).mean()

SPEC = LossSpec(
    function=absolute,
    roles=("sentence1", "sentence2", "score"),
    kinds=("scored",),
    paper="nobody 2025",
    use="scores with outliers",
)
'''


@pytest.fixture
def plug_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package with a loss, installed as pip would."""
    home = tmp_path / "site"
    info = home / "robust_losses-1.0.dist-info"
    info.mkdir(parents=True)
    (home / "robust_losses.py").write_text(PLUG_IN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: robust-losses\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[likewise.losses]\nabsolute = robust_losses:SPEC\n")
    monkeypatch.syspath_prepend(home)
    yield
    sys.modules.pop("robust_losses", None)


@pytest.mark.usefixtures("plug_in")
def test_a_loss_of_another_package_is_a_method_by_its_name(
    new_encoder, scored_file: Path, tmp_path: Path
):
    assert "absolute" in METHODS
    assert METHODS["absolute"].kinds == ("scored", "nli", "pair-labels", "reranking")
    assert METHODS["absolute"].summary == "scores with outliers"
    assert choose_method("absolute", scored(4), METHODS) == "absolute"
    assert resolve_options("absolute", {}) == {"power": 1.0}
    assert "power: of each distance." in (inspect.getdoc(METHODS["absolute"].function) or "")
    settings = {"method": "absolute", "learning_rate": 1e-3, "power": 1.5}
    run = train(new_encoder(), scored_file, out=tmp_path / "run", **settings)
    assert not same_weights(weights(run.model), weights(new_encoder()))
    recipe = (run.folder / "recipe.toml").read_text()
    assert 'method = "absolute"' in recipe
    assert "power = 1.5" in recipe
    loaded = load(run.folder / "model", device="cpu")
    assert same_weights(weights(loaded), weights(run.model))
