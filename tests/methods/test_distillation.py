"""A student learns the vectors of a teacher, or its scores."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from likewise.data.dataset import Dataset
from likewise.errors import InputError
from likewise.methods.distillation import train_distillation
from likewise.models.build import load
from likewise.models.cross_encoder import CrossEncoder, from_encoder, load_cross_encoder
from methods.small_data import DATA, Watched, distilled, watched
from training.small_runs import Log, make_data, pairs, same_weights, triplets, weights

LEARN = {"epochs": 12.0, "learning_rate": 2e-3, "dropout": 0.0, "batch_size": 8}


@pytest.fixture
def new_fit(new_encoder, tmp_path: Path) -> Callable[..., Watched]:
    def new_fit(name: str = "run", **options: Any) -> Watched:
        return watched(new_encoder(), tmp_path / name, **options)

    return new_fit


@pytest.fixture
def cross_folder(teacher_folder: Path, tmp_path: Path) -> Path:
    cross = from_encoder(load(teacher_folder, device="cpu"), classes=1, seed=1)
    return cross.save(tmp_path / "cross")


def asked_of(data: Dataset) -> list[tuple[str, str]]:
    """Each anchor with its answer, then with each negative."""
    rows = zip(*(data.text_lists(role) for role in ("anchor", "positive", "negative")), strict=True)
    return [(anchor, text) for (anchor,), right, wrong in rows for text in [*right, *wrong]]


@pytest.mark.parametrize("kind", ["texts", "labelled", "scored", "nli"])
def test_from_a_bi_encoder_the_student_comes_nearer_to_its_vectors(
    kind: str, new_fit, teacher_folder: Path
):
    fit, data = new_fit(**LEARN), DATA[kind](24)
    texts, teacher = data.all_texts(), load(teacher_folder, device="cpu")

    def distance() -> float:
        return float(np.mean((fit.encoder.encode(texts) - teacher.encode(texts)) ** 2))

    before = distance()
    train_distillation(fit, data, teacher=str(teacher_folder))
    assert distance() < before / 2
    assert fit.data.kind == "texts"
    assert set(fit.data.texts("text")) == set(texts)


@pytest.mark.parametrize("loss", ["margin-mse", "kl", "auto"])
def test_scores_of_a_cross_encoder_are_what_it_predicts(loss: str, new_fit, cross_folder: Path):
    fit, data = new_fit(precision="float32"), triplets(8)
    train_distillation(fit, data, teacher=str(cross_folder), loss=loss)
    assert fit.data.kind == "distilled"
    assert asked_of(fit.data) == asked_of(data)
    cross = load_cross_encoder(cross_folder, device="cpu")
    expected = cross.predict(asked_of(data), precision="float32")
    found = fit.data.score_lists().astype(np.float32)
    np.testing.assert_array_equal(found, expected.reshape(8, 3))
    np.testing.assert_array_equal(np.load(fit.folder / "teacher.npy")[:, 0], expected)
    assert "the teacher scores 24 pairs" in fit.notes


def test_scores_of_a_bi_encoder_are_its_cosines(new_fit, teacher_folder: Path):
    fit, data = new_fit(precision="float32"), triplets(8)
    train_distillation(fit, data, teacher=str(teacher_folder))
    teacher = load(teacher_folder, device="cpu")
    left, right = (
        teacher.encode([pair[i] for pair in asked_of(data)], precision="float32") for i in (0, 1)
    )
    lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    expected = ((left * right).sum(axis=1) / lengths).reshape(8, 3)
    np.testing.assert_allclose(fit.data.score_lists(), expected, atol=1e-5)


@pytest.mark.parametrize("loss", ["margin-mse", "kl"])
def test_the_student_learns_the_margins_of_the_teacher(loss: str, new_fit, cross_folder: Path):
    log = Log()
    fit = new_fit(observers=[log], **LEARN)
    train_distillation(fit, triplets(16), teacher=str(cross_folder), loss=loss)
    losses = [step.loss for step in log.steps]
    assert np.mean(losses[-4:]) < np.mean(losses[:4]) / 2


def test_the_losses_differ_in_what_they_teach(new_fit, teacher_folder: Path):
    found = []
    for loss in ("auto", "margin-mse", "kl", "mse"):
        fit = new_fit(loss)
        train_distillation(fit, triplets(8), teacher=str(teacher_folder), loss=loss)
        found.append(weights(fit.encoder))
    auto, margin, kl, mse = found
    assert same_weights(auto, margin)
    assert not same_weights(margin, kl)
    assert not same_weights(margin, mse)


@pytest.mark.parametrize("loss", ["auto", "margin-mse", "kl"])
def test_data_with_scores_needs_no_teacher(loss: str, new_fit):
    fit, data = new_fit(), distilled(8)
    before = weights(fit.encoder)
    train_distillation(fit, data, loss=loss)
    assert fit.data is data
    assert not same_weights(weights(fit.encoder), before)


@pytest.mark.parametrize("kind", ["texts", "pairs", "labelled", "scored", "nli", "pair-labels"])
def test_without_scores_a_teacher_is_needed(kind: str, new_fit):
    fit = new_fit()
    with pytest.raises(InputError, match=f"{kind} data has no teacher scores, and no") as caught:
        train_distillation(fit, DATA[kind](8))
    assert "--set teacher=MODEL" in caught.value.mend
    assert not fit.folder.exists()


@pytest.mark.parametrize("loss", ["auto", "mse"])
def test_vectors_cannot_be_learnt_from_what_scores_pairs(loss: str, new_fit, cross_folder: Path):
    fit = new_fit()
    with pytest.raises(InputError, match="needs a model that gives vectors"):
        train_distillation(fit, DATA["texts"](8), teacher=str(cross_folder), loss=loss)
    assert not fit.folder.exists()


@pytest.mark.parametrize("loss", ["margin-mse", "kl"])
def test_scores_cannot_be_given_to_texts(loss: str, new_fit, teacher_folder: Path):
    fit = new_fit()
    with pytest.raises(InputError, match="expected pairs data, found texts"):
        train_distillation(fit, DATA["texts"](8), teacher=str(teacher_folder), loss=loss)
    assert not fit.folder.exists()


def test_pairs_without_negatives_get_random_ones(new_fit, teacher_folder: Path):
    fit, data = new_fit(), pairs(12)
    train_distillation(fit, data, teacher=str(teacher_folder))
    right = dict(zip(data.texts("anchor"), data.texts("positive"), strict=True))
    for row in fit.data.table.to_pylist():
        assert row["positive"] == right[row["anchor"]]
        assert len(row["negative"]) == 1
        assert row["negative"][0] in set(data.texts("positive")) - {row["positive"]}
    assert any(note.endswith("as negative: 12") for note in fit.notes)


def ragged() -> Dataset:
    return make_data(
        "pairs",
        anchor=["apple", "river", "engine", "letter", "planet"],
        positive=[["garden"], ["bridge", "violin"], ["paint"], ["carry"], ["clean"]],
        negative=[["a", "b"], ["c", "d"], ["e"], [], ["f", "g", "h"]],
    )


def test_rows_with_other_numbers_of_negatives_are_evened_out_and_counted(
    new_fit, teacher_folder: Path
):
    fit = new_fit()
    train_distillation(fit, ragged(), teacher=str(teacher_folder))
    rows = [(row["anchor"], row["positive"], row["negative"]) for row in fit.data.table.to_pylist()]
    assert rows == [
        ("apple", "garden", ["a", "b"]),
        ("river", "bridge", ["c", "d"]),
        ("planet", "clean", ["f", "g"]),
    ]
    assert fit.data.row.tolist() == [1, 2, 5]
    assert fit.data.score_lists().shape == (3, 3)
    assert "rows with fewer than 2 negatives are left out: 2" in fit.notes
    assert "further answers and negatives of a row are left out: 2" in fit.notes


@pytest.mark.parametrize(
    "data",
    [
        make_data("pairs", anchor=["a", "b"], positive=["c", "d"], negative=[None, None]),
        make_data("pairs", anchor=["a", "b"], positive=["c", "C!"]),  # which is right for both
    ],
)
def test_pairs_of_which_none_has_a_negative_are_refused(
    data: Dataset, new_fit, teacher_folder: Path
):
    fit = new_fit()
    with pytest.raises(InputError, match="no row has a negative"):
        train_distillation(fit, data, teacher=str(teacher_folder))
    assert not fit.folder.exists()


@pytest.mark.parametrize("kind", ["pairs", "distilled"])
def test_a_negative_that_is_the_answer_is_refused_before_anything_is_scored(
    kind: str, new_fit, teacher_folder: Path
):
    more = {"scores": [[1.0, 0.0]] * 2} if kind == "distilled" else {}
    data = make_data(kind, anchor=["a", "b"], positive=["c", "d"], negative=["e", "D"], **more)
    fit = new_fit()
    begun = []
    fit.begin = lambda: begun.append(True)
    with pytest.raises(InputError, match="a negative is the row's own positive") as caught:
        train_distillation(fit, data, teacher=str(teacher_folder))
    assert caught.value.where.row == 2
    assert begun == []
    assert not fit.folder.exists()


def test_a_teacher_of_classes_is_refused_before_anything_is_scored(
    new_fit, new_encoder, tmp_path: Path
):
    folder = from_encoder(new_encoder(), classes=3, seed=1).save(tmp_path / "three")
    fit = new_fit()
    with pytest.raises(InputError, match="answers 3 labels; a score is needed"):
        train_distillation(fit, triplets(8), teacher=str(folder))
    assert not fit.folder.exists()


def test_scores_follow_their_rows_through_a_change_of_kind(new_fit, cross_folder: Path):
    fit = new_fit(precision="float32")
    train_distillation(fit, DATA["nli"](24), teacher=str(cross_folder), loss="kl")
    assert (fit.data.kind, len(fit.data)) == ("distilled", 8)
    cross = load_cross_encoder(cross_folder, device="cpu")
    for row in fit.data.table.to_pylist():
        asked = [(row["anchor"], text) for text in [row["positive"], *row["negative"]]]
        found = cross.predict(asked, precision="float32")
        np.testing.assert_allclose(found, row["scores"], atol=1e-5)
    assert fit.data.table.column("scores").type == pa.list_(pa.float64())


def test_a_resumed_run_does_not_score_again(
    new_fit, cross_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    first = new_fit("run")
    train_distillation(first, triplets(8), teacher=str(cross_folder))
    monkeypatch.delattr(CrossEncoder, "predict")
    again = new_fit("run", resume=True)
    train_distillation(again, triplets(8), teacher=str(cross_folder))
    assert same_weights(weights(first.encoder), weights(again.encoder))
