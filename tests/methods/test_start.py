"""What a run starts from, and what it has to beat."""

from pathlib import Path

import numpy as np
import pytest

from likewise.errors import InputError
from likewise.methods import METHODS
from likewise.methods.start import CosineScorer, start_model
from likewise.models.build import load
from likewise.models.cross_encoder import CrossEncoder, from_encoder, load_cross_encoder
from likewise.models.encoder import Encoder
from methods.small_data import DATA
from training.small_runs import make_fit, nli, pairs, same_weights, scored, triplets, weights

CROSS, ENCODER = METHODS["cross-encoder"], METHODS["mnr"]
ASKED = [("apple", "river"), ("How do people paint the apple", "a guide to paint any apple")]


def begin(model, data, spec=CROSS, *, seed: int = 1, **options):
    return start_model(model, spec, data, options=options, seed=seed)


def test_an_encoder_is_trained_and_measured_as_it_is(tiny_encoder, tiny_folder: Path):
    start = begin(tiny_encoder, pairs(4), ENCODER)
    assert start.model is start.base is tiny_encoder
    assert not start.is_fresh
    assert start.base_for(pairs(4)) is tiny_encoder
    loaded = begin(str(tiny_folder), pairs(4), ENCODER)
    assert isinstance(loaded.model, Encoder)


def test_the_base_of_a_fresh_cross_encoder_is_the_cosine_of_its_encoder(tiny_encoder):
    start = begin(tiny_encoder, scored(4))
    assert isinstance(start.model, CrossEncoder)
    assert start.is_fresh
    found = start.base_for(scored(4)).predict(ASKED)
    left, right = (tiny_encoder.encode([pair[i] for pair in ASKED]) for i in (0, 1))
    lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    np.testing.assert_allclose(found, (left * right).sum(axis=1) / lengths, atol=1e-6)


def test_a_cosine_is_taken_with_the_prompts_of_both_sides(tiny_folder: Path):
    config = '{"prompts": {"query": "how do ", "document": "a guide to "}}'
    (tiny_folder / "config_sentence_transformers.json").write_text(config)
    encoder = begin(str(tiny_folder), pairs(4), ENCODER).model
    found = CosineScorer(encoder).predict(ASKED)
    left = encoder.encode([a for a, _ in ASKED], prompt="query", normalize=True)
    right = encoder.encode([b for _, b in ASKED], prompt="document", normalize=True)
    np.testing.assert_allclose(found, (left * right).sum(axis=1), atol=1e-6)


def test_a_fresh_head_has_no_base_on_nli(tiny_encoder):
    start = begin(tiny_encoder, nli(6))
    assert start.base_for(nli(6)) is None
    assert start.base_for(scored(4)) is not None


@pytest.mark.parametrize(
    ("kind", "classes", "labels"),
    [
        ("scored", 1, ()),
        ("pair-labels", 1, ()),
        ("pairs", 1, ()),
        ("nli", 3, ("entailment", "neutral", "contradiction")),
    ],
)
def test_a_fresh_cross_encoder_answers_what_the_data_asks(
    kind: str, classes: int, labels, tiny_encoder
):
    model = begin(tiny_encoder, DATA[kind](6)).model
    assert (model.classes, model.labels) == (classes, labels)
    assert all(parameter.requires_grad for parameter in model.module.parameters())


def test_training_a_cross_encoder_does_not_move_the_encoder_it_was_made_from(
    tiny_encoder, tmp_path: Path
):
    start = begin(tiny_encoder, scored(24))
    before, cosines = weights(tiny_encoder), start.base.predict(ASKED)
    first = weights(start.model)
    CROSS.function(make_fit(start.model, tmp_path), scored(24))
    assert not same_weights(weights(start.model), first)
    assert same_weights(weights(tiny_encoder), before)
    np.testing.assert_array_equal(start.base.predict(ASKED), cosines)
    assert all(parameter.requires_grad for parameter in tiny_encoder.module.parameters())


def test_a_fresh_head_follows_the_seed(tiny_encoder):
    one, same, other = (weights(begin(tiny_encoder, pairs(4), seed=s).model) for s in (1, 1, 2))
    assert same_weights(one, same)
    different = [name for name in one if not bool((one[name] == other[name]).all())]
    assert different
    assert all(name.startswith("head") for name in different)


def test_a_cross_encoder_goes_on_from_itself(tiny_encoder, tmp_path: Path):
    made = from_encoder(tiny_encoder, classes=1, seed=1)
    folder = made.save(tmp_path / "cross")
    start = begin(str(folder), scored(4))
    assert start.model is start.base
    assert not start.is_fresh
    assert same_weights(weights(start.model), weights(load_cross_encoder(folder, device="cpu")))
    given = begin(made, nli(6))
    assert given.model is given.base_for(nli(6)) is made


@pytest.mark.parametrize("method", ["mnr", "augmented", "distillation", "triplet"])
def test_a_cross_encoder_has_no_vectors_to_train(method: str, tiny_encoder, tmp_path: Path):
    made = from_encoder(tiny_encoder, classes=1, seed=1)
    folder = str(made.save(tmp_path / "cross"))
    with pytest.raises(InputError, match=f'"{folder}" is a cross-encoder') as caught:
        begin(folder, pairs(4), METHODS[method])
    assert "--method cross-encoder" in caught.value.mend
    with pytest.raises(InputError, match="is a cross-encoder") as caught:
        begin(made, pairs(4), METHODS[method])
    assert "object at 0x" not in caught.value.problem


@pytest.mark.parametrize(("classes", "kind"), [(3, "scored"), (3, "pairs"), (1, "nli"), (2, "nli")])
def test_another_number_of_labels_than_the_data_has_is_refused(
    classes: int, kind: str, tiny_encoder, tmp_path: Path
):
    made = from_encoder(tiny_encoder, classes=classes, seed=1)
    data = DATA[kind](6)
    needed = 3 if kind == "nli" else 1
    with pytest.raises(
        InputError, match=f"answers {classes} numbers, the data needs {needed}"
    ) as e:
        CROSS.function(make_fit(begin(made, data).model, tmp_path / "run"), data)
    assert "--base" in e.value.mend
    assert not (tmp_path / "run").exists()


def test_a_loss_for_other_data_is_refused_before_a_head_is_made(tiny_encoder):
    with pytest.raises(InputError, match="takes nli data, found scored"):
        begin(tiny_encoder, scored(4), loss="cross-entropy")


@pytest.mark.parametrize(
    ("kind", "own"), [("pairs", "own"), ("nli", "own"), ("texts", "own:lower")]
)
def test_a_tokenizer_is_trained_on_all_texts_of_the_data(kind: str, own: str):
    data = DATA[kind](24)
    start = begin(f"scratch:mini:{own}", data, ENCODER)
    every = [t for role in data.text_roles() for row in data.text_lists(role) for t in row]
    expected = load(f"scratch:mini:{own}", texts=every, device="cpu")
    found = start.model.tokenizer
    for mine, theirs in zip(
        found.tokenize(data.all_texts()).ids,
        expected.tokenizer.tokenize(data.all_texts()).ids,
        strict=True,
    ):
        assert mine.tolist() == theirs.tolist()
    assert start.model is start.base


def test_several_texts_a_row_teach_the_tokenizer_too():
    start = begin("cls:scratch:mini:own", triplets(8), ENCODER)
    words = {word for text in triplets(8).all_texts() for word in text.split()}
    spelt = start.model.tokenizer.tokenize([f"{word}" for word in sorted(words)]).ids
    assert sum(len(ids) for ids in spelt) < 5 * len(words)  # three, of a word that is known
    assert start.model.contents.pooling.modes == ("cls",)


def test_a_cross_encoder_may_start_from_nothing():
    start = begin("scratch:mini:own", scored(8))
    assert isinstance(start.model, CrossEncoder)
    assert start.model.predict(ASKED).shape == (2,)
