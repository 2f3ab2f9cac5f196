"""Models that others learn from: loaded by name, frozen, and brought to the student's width."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from conftest import make_folder
from likewise.errors import InputError
from likewise.methods import METHODS
from likewise.methods.teachers import (
    Projected,
    frozen_copy,
    load_guide,
    load_teacher,
    load_vectors_of,
)
from likewise.models.build import load
from likewise.models.cross_encoder import CrossEncoder, from_encoder
from likewise.models.encoder import Encoder
from methods.small_data import DATA, distilled, make_teacher
from training.small_runs import make_fit, mnr, pairs, same_weights, weights


@pytest.fixture
def fit(tiny_encoder, tmp_path: Path):
    return make_fit(tiny_encoder, tmp_path / "run")


@pytest.fixture(scope="session")
def cross_folder(_tiny_original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    cross = from_encoder(load(_tiny_original, device="cpu"), classes=1, seed=1)
    return cross.save(tmp_path_factory.mktemp("cross") / "model")


@pytest.fixture(scope="session")
def wide_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_folder(tmp_path_factory.mktemp("wide") / "start", width=48)
    return make_teacher(folder, folder.with_name("model"), noise=0.5)


@pytest.fixture(scope="session")
def narrow_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("narrow") / "model", width=16)


def test_a_teacher_is_whichever_model_the_name_leads_to(tiny_folder: Path, cross_folder: Path):
    assert isinstance(load_teacher(str(tiny_folder)), Encoder)
    assert isinstance(load_teacher(str(cross_folder)), CrossEncoder)


def test_a_teacher_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(InputError, match="nowhere"):
        load_teacher(str(tmp_path / "nowhere"))


def test_the_guide_is_the_base_model_where_none_is_named(fit):
    guide = load_guide(fit, "", method="gist")
    texts = pairs(4).all_texts()
    np.testing.assert_array_equal(guide.encode(texts), fit.encoder.encode(texts))
    assert fit.notes == ["the guide is the base model as it was before training"]


def test_a_frozen_copy_stays_as_the_model_was(fit):
    frozen = frozen_copy(fit.encoder)
    before, texts = weights(frozen), pairs(4).all_texts()
    vectors = frozen.encode(texts)
    fit(pairs(24), mnr())
    assert not same_weights(weights(fit.encoder), before)
    assert same_weights(weights(frozen), before)
    np.testing.assert_array_equal(frozen.encode(texts), vectors)
    assert not any(parameter.requires_grad for parameter in frozen.module.parameters())
    assert all(parameter.requires_grad for parameter in fit.encoder.module.parameters())


def test_a_guide_is_loaded_by_its_name(fit, tiny_folder: Path):
    guide = load_guide(fit, str(tiny_folder), method="gist")
    assert same_weights(weights(guide), weights(fit.encoder))
    assert fit.notes == []


def test_what_scores_pairs_has_no_vectors_to_give(fit, cross_folder: Path):
    loads = {
        "gist": lambda name: load_guide(fit, name, method="gist"),
        "mse": lambda name: load_vectors_of(fit, name, DATA["texts"](8), method="mse"),
    }
    for method, load_it in loads.items():
        said = f"the method {method} needs a model that gives vectors; .* scores pairs"
        with pytest.raises(InputError, match=said) as caught:
            load_it(str(cross_folder))
        assert "bi-encoder" in caught.value.mend


def test_the_mend_for_such_a_teacher_is_not_the_method_itself(fit, cross_folder: Path):
    with pytest.raises(InputError) as caught:
        load_guide(fit, str(cross_folder), method="distillation")
    assert "--method distillation" not in caught.value.mend


def test_vectors_of_nobody_are_refused_with_the_option_to_set(fit):
    for name, option in (("mse", "guide"), ("distillation", "teacher")):
        data = distilled(8)  # which has scores, but no vectors
        options = {"loss": "mse"} if name == "distillation" else {}
        with pytest.raises(InputError, match=f"the method {name} learns from another") as caught:
            METHODS[name].function(fit, data, **options)
        assert f"--set {option}=MODEL" in caught.value.mend


def test_a_teacher_of_the_same_width_is_taken_as_it_is(fit, tiny_folder: Path):
    found = load_vectors_of(fit, str(tiny_folder), DATA["texts"](8), method="mse")
    assert isinstance(found, Encoder)
    assert fit.notes == []


def test_a_wider_teacher_keeps_the_directions_that_keep_dot_products_best(fit, wide_folder: Path):
    data = DATA["texts"](64)
    texts = data.texts("text")
    whole = load(wide_folder, device="cpu").encode(texts).astype(np.float64)
    found = load_vectors_of(fit, str(wide_folder), data, method="mse").encode(texts)
    assert found.shape == (len(texts), 32)
    assert found.dtype == np.float32
    # Eckart and Young 1936: nothing of rank 32 is nearer to the dot products than this
    u, values, _ = np.linalg.svd(whole, full_matrices=False)
    best = (u[:, :32] * values[:32] ** 2) @ u[:, :32].T
    products = found.astype(np.float64) @ found.T
    np.testing.assert_allclose(products, best, atol=1e-4 * np.abs(best).max())
    loss = np.linalg.norm(whole @ whole.T - products)
    assert loss == pytest.approx(np.sqrt((values[32:] ** 4).sum()), rel=1e-2)
    first = np.linalg.norm(whole @ whole.T - whole[:, :32] @ whole[:, :32].T)
    assert loss < first
    assert "48 dimensions, the student's 32: its leading directions" in fit.notes[0]


def test_a_wider_teacher_looks_the_same_for_any_order_of_the_texts(wide_folder: Path):
    teacher, texts = load(wide_folder, device="cpu"), DATA["texts"](64).texts("text")
    one, other = (Projected(teacher, width=32, texts=t).encode(texts) for t in (texts, texts[::-1]))
    np.testing.assert_allclose(np.abs(one), np.abs(other), atol=1e-3)  # but for signs


def test_a_narrower_teacher_gets_zeros_behind(fit, narrow_folder: Path):
    data = DATA["texts"](8)
    found = load_vectors_of(fit, str(narrow_folder), data, method="mse")
    texts = data.texts("text")
    own = load(narrow_folder, device="cpu").encode(texts)
    np.testing.assert_array_equal(found.encode(texts), np.pad(own, ((0, 0), (0, 16))))
    assert "16 dimensions, the student's 32: zeros behind its own" in fit.notes[0]


def test_a_teacher_in_another_width_keeps_its_prompts(narrow_folder: Path, tmp_path: Path):
    folder = Path(shutil.copytree(narrow_folder, tmp_path / "prompted"))
    config = '{"prompts": {"query": "how do ", "document": "a guide to "}}'
    (folder / "config_sentence_transformers.json").write_text(config)
    teacher = load(folder, device="cpu")
    found = Projected(teacher, width=32, texts=["apple"])
    assert found.prompts == teacher.prompts
    assert found.prompt_text("query") == "how do "
    own = teacher.encode(["apple"], prompt="query")
    np.testing.assert_array_equal(found.encode(["apple"], prompt="query")[:, :16], own)
    assert not np.array_equal(found.encode(["apple"])[:, :16], own)


def test_a_copy_follows_the_weights_of_the_moment(fit):
    with torch.no_grad():
        next(fit.encoder.module.parameters()).add_(1.0)
    assert same_weights(weights(frozen_copy(fit.encoder)), weights(fit.encoder))
