"""A cross-encoder learns each kind of data, refuses what it cannot learn, and loads elsewhere."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from conftest import TOPICS, answer, question
from likewise.data.dataset import Dataset
from likewise.errors import InputError
from likewise.losses.cross_encoder import CROSS_LOSSES
from likewise.methods.cross_encoder import (
    choose_loss,
    cross_objective,
    labels_of,
    train_cross_encoder,
)
from likewise.models.build import load
from likewise.models.cross_encoder import CrossEncoder, from_encoder, load_cross_encoder
from likewise.training.pair_batch import PairRows, build_pair_examples, collate_pairs
from methods.small_data import DATA, pair_labels, reranking
from training.small_runs import Log, make_data, make_fit, nli, pairs, same_weights, scored, weights

LEARN = {"batch_size": 8, "epochs": 30, "learning_rate": 5e-3, "dropout": 0.0}


@pytest.fixture
def new_cross(teacher_folder: Path):
    """A fresh head over an encoder whose weights are large enough to tell texts apart."""

    def new_cross(data: Dataset | None = None, **given: Any) -> CrossEncoder:
        labels = () if data is None else labels_of("auto", data)
        options = {"classes": max(len(labels), 1), "labels": labels, "seed": 3}
        return from_encoder(load(teacher_folder, device="cpu"), **(options | given))

    return new_cross


def predict(cross: Any, asked: list[tuple[str, str]], **options: Any) -> np.ndarray:
    return cross.predict(asked, precision="float32", **options)


def sides(data: Dataset) -> list[tuple[str, str]]:
    first, second = (data.texts(role) for role in data.text_roles()[:2])
    return list(zip(first, second, strict=True))


def test_labels_of_pairs_are_learnt_to_the_last(new_cross, tmp_path: Path):
    data = pair_labels(24)
    cross = new_cross(data)
    train_cross_encoder(make_fit(cross, tmp_path, **LEARN), data)
    assert ((predict(cross, sides(data)) > 0.5) == (data.numbers("label") == 1)).all()


@pytest.mark.parametrize("loss", ["auto", "mse"])
def test_scores_are_predicted_from_0_to_1(loss: str, new_cross, tmp_path: Path):
    data = scored(24)  # 5 and 1, of 0 to 5
    cross = new_cross(data)
    train_cross_encoder(make_fit(cross, tmp_path, **LEARN), data, loss=loss)
    np.testing.assert_allclose(predict(cross, sides(data)), data.numbers("score") / 5, atol=0.15)


def test_labels_of_nli_are_learnt_to_the_last(new_cross, tmp_path: Path):
    data = nli(24)
    cross = new_cross(data)
    train_cross_encoder(make_fit(cross, tmp_path, **LEARN), data)
    found = predict(cross, sides(data))
    assert found.shape == (24, 3)
    assert found.argmax(axis=1).tolist() == data.labels()
    assert cross.labels == ("entailment", "neutral", "contradiction")


@pytest.mark.parametrize("loss", ["auto", "lambda", "list-net"])
def test_an_answer_is_ranked_above_those_of_others(loss: str, new_cross, tmp_path: Path):
    data = pairs(8)
    cross = new_cross(data)
    train_cross_encoder(
        make_fit(cross, tmp_path, **(LEARN | {"batch_size": 4, "epochs": 50})), data, loss=loss
    )
    asked = [(a, b) for a in data.texts("anchor") for b in data.texts("positive")]
    table = predict(cross, asked, activation="identity").reshape(8, 8)
    assert (table.argmax(axis=1) == np.arange(8)).mean() >= 7 / 8


@pytest.mark.parametrize(
    ("kind", "first", "others"),
    [
        ("scored", "binary-cross-entropy", ["mse"]),
        ("pair-labels", "binary-cross-entropy", []),
        ("nli", "cross-entropy", []),
        ("pairs", "mnr", ["lambda", "list-net"]),
    ],
)
def test_the_loss_follows_from_the_kind(kind: str, first: str, others, new_cross, tmp_path: Path):
    data = DATA[kind](8)
    assert choose_loss("auto", data) == first
    assert all(choose_loss(name, data) == name for name in others)
    fit = make_fit(new_cross(data), tmp_path)
    train_cross_encoder(fit, data)
    assert fit.notes == [f"the cross-encoder is trained by {first}"]


@pytest.mark.parametrize(
    ("loss", "steps"), [("auto", 6), ("binary-cross-entropy", 6), ("mnr", 3), ("lambda", 3)]
)
def test_judged_documents_are_pairs_or_lists_as_the_loss_takes_them(
    loss: str, steps: int, new_cross, tmp_path: Path
):
    data = reranking(24)
    cross = new_cross(data)
    before, log = predict(cross, [("a text", "another")]), Log()
    fit = make_fit(cross, tmp_path, batch_size=4, epochs=1, observers=(log,))
    train_cross_encoder(fit, data, loss=loss)
    assert len(log.steps) == steps  # of 24 pairs, or of 12 queries
    assert predict(cross, [("a text", "another")]) != before


@pytest.mark.parametrize("kind", ["scored", "pair-labels", "nli", "pairs"])
def test_a_loss_for_other_data_is_refused_and_those_that_fit_are_offered(
    kind: str, new_cross, tmp_path: Path
):
    data = DATA[kind](8)
    fitting = [name for name, spec in CROSS_LOSSES.items() if kind in spec.kinds]
    for name in set(CROSS_LOSSES) - set(fitting):
        with pytest.raises(InputError, match=f"the loss {name} takes .* data, found {kind}") as one:
            train_cross_encoder(make_fit(new_cross(data), tmp_path / "run"), data, loss=name)
        assert all(fit in one.value.mend for fit in fitting)
    assert not (tmp_path / "run").exists()


def test_a_loss_that_is_not_there_is_offered_the_nearest():
    with pytest.raises(InputError, match='no loss of a cross-encoder "lamda"') as caught:
        choose_loss("lamda", pairs(4))
    assert "lambda" in caught.value.mend


@pytest.mark.parametrize("options", [{"negatives": 1}, {"loss": "list-net"}])
def test_an_option_changes_what_is_learnt(options, new_cross, tmp_path: Path):
    plain, other = new_cross(), new_cross()
    train_cross_encoder(make_fit(plain, tmp_path / "a"), pairs(16))
    train_cross_encoder(make_fit(other, tmp_path / "b"), pairs(16), **options)
    assert not same_weights(weights(plain), weights(other))


@pytest.mark.parametrize("kind", ["scored", "nli", "pairs"])
def test_a_saved_folder_answers_the_same_here_and_in_sentence_transformers(
    kind: str, new_cross, tmp_path: Path
):
    from sentence_transformers import CrossEncoder as Peer

    data = DATA[kind](16)
    cross = new_cross(data)
    train_cross_encoder(make_fit(cross, tmp_path / "run"), data)
    folder = cross.save(tmp_path / "model")
    asked = sides(data)
    found = predict(cross, asked)
    again = predict(load_cross_encoder(folder, device="cpu"), asked)
    np.testing.assert_array_equal(again, found)
    peer = Peer(str(folder), device="cpu")
    np.testing.assert_allclose(peer.predict(asked, show_progress_bar=False), found, atol=1e-5)
    if kind == "nli":
        logits, chances = (predict(cross, asked, activation=a) for a in ("identity", "softmax"))
        np.testing.assert_array_equal(logits, found)
        np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-6)
        own = peer.predict(asked, apply_softmax=True, show_progress_bar=False)
        np.testing.assert_allclose(own, chances, atol=1e-5)
        assert peer.config.id2label == {0: "entailment", 1: "neutral", 2: "contradiction"}
    else:
        logits = predict(cross, asked, activation="identity")
        np.testing.assert_allclose(found, 1 / (1 + np.exp(-logits)), atol=1e-6)


def several_answers() -> Dataset:
    """Questions with two answers each, one with two negatives of its own."""
    return make_data(
        "pairs",
        anchor=[question(*topic) for topic in TOPICS[:4]],
        positive=[[answer(*topic), f"people {topic[0]} the {topic[1]}"] for topic in TOPICS[:4]],
        negative=[["apple", "river"], [], [], []],
    )


def test_answers_of_one_row_are_never_each_others_negatives(new_cross):
    data, cross = several_answers(), new_cross()
    source = PairRows(
        examples=build_pair_examples(cross, data),
        tokenizer=cross.pairs,
        form="lists",
        negatives=3,
        seed=1,
    )
    batch = collate_pairs(source, np.arange(4), device=torch.device("cpu"))
    places = batch.picks["pairs"]  # [4, C]
    loss = cross_objective(CROSS_LOSSES["mnr"], negatives=3)
    logits = torch.zeros(len(batch.packed), 1)
    before = float(loss.loss(logits, batch))
    for row in range(4):
        other = logits.clone()
        other[places[row, 1]] = 50.0  # the second answer is as right as the first
        assert float(loss.loss(other, batch)) == pytest.approx(before)
    for row in range(4):
        other = logits.clone()
        other[places[row, 2]] = 50.0  # a negative, given or drawn
        assert float(loss.loss(other, batch)) > before


def test_rows_with_one_answer_between_them_are_no_lesson_and_no_end(new_cross, tmp_path: Path):
    rows = [("apple", "river")] * 6 + [("engine", "letter")]
    anchors, positives = zip(*rows, strict=True)
    data = make_data("pairs", anchor=list(anchors), positive=list(positives))
    for loss in ("mnr", "lambda", "list-net"):
        log = Log()
        fit = make_fit(
            new_cross(), tmp_path / loss, observers=[log], batch_size=2, epochs=2, warmup=0.0
        )
        train_cross_encoder(fit, data, loss=loss)
        assert any(step.loss == 0 for step in log.steps)
        assert any(step.loss > 0 for step in log.steps)


def test_negatives_of_the_data_are_enough(new_cross, tmp_path: Path):
    log = Log()
    data = make_data(
        "pairs",
        anchor=["apple", "river", "engine", "letter"],
        positive=["garden", "bridge", "planet", "violin"],
        negative=["engine", None, None, "apple"],
    )
    fit = make_fit(new_cross(), tmp_path, observers=[log], batch_size=1, epochs=2)
    train_cross_encoder(fit, data, negatives=0)
    assert sorted(step.loss > 0 for step in log.steps) == [False] * 4 + [True] * 4


@pytest.mark.parametrize("negative", [None, [None, None], ["e", "f"]])
@pytest.mark.parametrize(("negatives", "said"), [(0, "nothing to rank"), (-1, "0 or more")])
def test_nothing_to_rank_against_is_refused(
    negatives: int, said: str, negative, new_cross, tmp_path: Path
):
    if negatives == 0 and negative == ["e", "f"]:
        return  # ranks against those
    more = {} if negative is None else {"negative": negative}
    data = make_data("pairs", anchor=["a", "b"], positive=["c", "d"], **more)
    with pytest.raises(InputError, match=said) as caught:
        train_cross_encoder(make_fit(new_cross(), tmp_path / "run"), data, negatives=negatives)
    assert "negatives" in caught.value.mend
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (nli(24).take(range(0, 24, 3)), "all 8 rows have the label entailment"),
        (pair_labels(24).take(range(0, 24, 2)), "all 12 rows have the label 1"),
        (scored(24).take(range(0, 24, 2)), "all 12 scores are 5: nothing to learn"),
        (
            make_data("pairs", anchor=["a", "b"], positive=["c", "d"], negative=["e", "D"]),
            "a negative is the row's own positive",
        ),
    ],
    ids=["nli", "pair-labels", "scored", "pairs"],
)
def test_what_teaches_nothing_is_refused(data: Dataset, said: str, new_cross, tmp_path: Path):
    with pytest.raises(InputError, match=said):
        train_cross_encoder(make_fit(new_cross(data), tmp_path / "run"), data)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("loss", ["binary-cross-entropy", "mse"])
def test_scores_from_minus_1_are_brought_to_what_a_sigmoid_reaches(
    loss: str, new_cross, tmp_path: Path
):
    data = make_data(
        "scored",
        sentence1=[question(*topic) for topic in TOPICS[:8]],
        sentence2=[answer(*TOPICS[i + i % 2]) for i in range(8)],
        score=[1.0, -1.0] * 4,
        score_range=(-1.0, 1.0),
    )
    cross = new_cross()
    train_cross_encoder(make_fit(cross, tmp_path, **LEARN), data, loss=loss)
    np.testing.assert_allclose(predict(cross, sides(data)), [1.0, 0.0] * 4, atol=0.2)


def test_the_classes_of_a_model_keep_their_order(new_cross, tmp_path: Path):
    data = nli(24)
    names = ("contradiction", "entailment", "neutral")  # as of the NLI models on the hub
    cross = new_cross(data, classes=3, labels=names)
    train_cross_encoder(make_fit(cross, tmp_path, **LEARN), data)
    found = [names[place] for place in predict(cross, sides(data)).argmax(axis=1)]
    assert found == [labels_of("auto", data)[label] for label in data.labels()]
    assert cross.labels == names


def test_a_model_of_other_classes_is_refused(new_cross, tmp_path: Path):
    cross = new_cross(nli(6), classes=3, labels=("joy", "anger", "fear"))
    with pytest.raises(InputError, match="joy, anger, fear") as caught:
        train_cross_encoder(make_fit(cross, tmp_path / "run"), nli(6))
    assert "--base" in caught.value.mend
    assert not (tmp_path / "run").exists()
