from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from conftest import TOPICS, answer
from likewise.errors import InputError
from likewise.methods.mnr import train_mnr
from likewise.methods.recipe import resolve_options
from likewise.methods.simcse import train_simcse
from likewise.models.build import load
from methods.small_data import DATA, triplets
from training.small_runs import Log, Watch, make_data, make_fit, nli, pairs, same_weights, weights


def corpus(n: int = 24):
    return make_data("texts", text=[answer(*topic) for topic in TOPICS[:n]])


def trained(encoder, folder: Path, data=None, *, run=None, **options) -> dict[str, torch.Tensor]:
    train_simcse(make_fit(encoder, folder, **(run or {})), data or corpus(), **options)
    return weights(encoder)


@pytest.mark.parametrize("views", ["auto", "dropout", "crop"])
def test_every_text_is_two_of_a_step(views, tiny_encoder, tmp_path: Path):
    log = Log()
    fit = make_fit(tiny_encoder, tmp_path, observers=[log], batch_size=8)
    train_simcse(fit, corpus(), views=views)
    assert [(step.rows, step.texts) for step in log.steps] == 3 * [(8, 16)]


@pytest.mark.parametrize(
    "option",
    [
        {"scale": 5.0},
        {"mlp": True},
        {"views": "crop"},
        {"views": "crop", "min_share": 0.5},
        {"pooling": "cls"},
    ],
)
def test_an_option_changes_what_is_learnt(new_encoder, tmp_path: Path, option):
    plain = trained(new_encoder(), tmp_path / "a")
    if "min_share" in option:
        plain = trained(new_encoder(), tmp_path / "c", views="crop")
    assert not same_weights(plain, trained(new_encoder(), tmp_path / "b", **option))


@pytest.mark.parametrize("run", [{"dropout": 0.0}, {"dropout": None}])
def test_without_dropout_two_equal_views_are_refused(run, new_encoder, tmp_path: Path):
    encoder = new_encoder()
    if run["dropout"] is None:
        for module in encoder.module.modules():
            if hasattr(module, "dropout"):
                module.dropout = 0.0
    with pytest.raises(InputError, match="dropout is 0") as caught:
        trained(encoder, tmp_path, run=run)
    assert "--dropout 0.1" in caught.value.mend
    assert "views=crop" in caught.value.mend
    assert not tmp_path.joinpath("step-1").exists()


def test_without_dropout_crops_are_trained_on(tiny_encoder, tmp_path: Path):
    before = weights(tiny_encoder)
    assert not same_weights(
        before, trained(tiny_encoder, tmp_path, run={"dropout": 0.0}, views="crop")
    )


def test_a_table_of_words_has_no_dropout_and_learns_from_crops(word_vectors, tmp_path: Path):
    with pytest.raises(InputError, match="dropout is 0"):
        trained(load(word_vectors, device="cpu"), tmp_path / "a")
    encoder = load(word_vectors, device="cpu")
    before = weights(encoder)
    assert not same_weights(before, trained(encoder, tmp_path / "b", views="crop"))


def test_near_duplicates_are_no_negatives(tiny_encoder, tmp_path: Path):
    log = Log()
    data = make_data("texts", text=["apple river", "Apple river!", "engine", "letter"])
    train_simcse(make_fit(tiny_encoder, tmp_path, observers=[log]), data)
    assert [step.masked for step in log.steps] == [2]


def test_a_batch_of_near_duplicates_alone_teaches_nothing(new_encoder, tmp_path: Path):
    log = Log()
    data = make_data("texts", text=["apple", "Apple", "apple!", "river"])
    fit = make_fit(new_encoder(), tmp_path, observers=[log], batch_size=2, epochs=8)
    train_simcse(fit, data)
    masked = [step.loss for step in log.steps if step.masked == 2]
    assert masked == [0.0] * len(masked) != []
    assert log.steps[0].loss > 0 or log.steps[1].loss > 0  # of two steps an epoch one has "river"


def test_the_dense_layer_is_trained_and_dropped(new_encoder, tmp_path: Path):
    """The saved model has no more weights than the base."""
    encoder = new_encoder()
    before = set(weights(encoder))
    fit = make_fit(encoder, tmp_path, checkpoint_every=1)
    train_simcse(fit, corpus(8), mlp=True)
    assert set(weights(encoder)) == before
    assert encoder.contents.tail == ()
    steps = sorted(tmp_path.glob("step-*"))
    states = [_head(step) for step in steps]
    assert states[0].keys() == {"head.0.weight", "head.0.bias"}
    assert not torch.equal(states[0]["head.0.weight"], states[-1]["head.0.weight"])


def _head(checkpoint: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    found = {}
    for path in checkpoint.glob("*.safetensors"):
        found |= {k: v for k, v in load_file(path).items() if k.startswith("head.")}
    return found


def test_matryoshka_needs_the_vectors_themselves(new_encoder, tmp_path: Path):
    run = {"matryoshka": (8,)}
    with pytest.raises(InputError, match="dense layer") as caught:
        trained(new_encoder(), tmp_path / "a", run=run, mlp=True)
    assert "mlp=false" in caught.value.mend
    encoder = new_encoder()
    before = weights(encoder)
    assert not same_weights(before, trained(encoder, tmp_path / "b", run=run))


@pytest.mark.parametrize("run", [{"adaptive_layers": 1}, {"orthogonality": 0.1}])
def test_what_goes_around_any_loss_goes_around_this_one(run, new_encoder, tmp_path: Path):
    plain = trained(new_encoder(), tmp_path / "a")
    assert not same_weights(plain, trained(new_encoder(), tmp_path / "b", run=run))


def test_a_chosen_pooling_is_that_of_the_saved_model(tiny_encoder, tmp_path: Path):
    trained(tiny_encoder, tmp_path / "run", pooling="cls")
    saved = load(tiny_encoder.save(tmp_path / "model"), device="cpu")
    assert saved.contents.pooling.modes == ("cls",)


def test_a_pooling_that_the_rest_rests_on_is_not_changed(word_vectors, new_encoder, tmp_path):
    with pytest.raises(InputError, match="pools by mean"):
        trained(load(word_vectors, device="cpu"), tmp_path, views="crop", pooling="cls")
    several = new_encoder()
    pooling = replace(several.contents.pooling, modes=("mean", "max"))
    several.contents = replace(several.contents, pooling=pooling)
    with pytest.raises(InputError, match="mean \\+ max"):
        trained(several, tmp_path, pooling="mean")


def test_texts_of_one_word_are_counted(tiny_encoder, tmp_path: Path):
    fit = make_fit(tiny_encoder, tmp_path)
    train_simcse(fit, make_data("texts", text=["apple river", "engine", "letter"]), views="crop")
    assert any("nothing to crop" in note and note.endswith(": 2") for note in fit.notes)


def test_words_alone_cannot_be_cropped_without_dropout(tiny_encoder, tmp_path: Path):
    data = make_data("texts", text=["apple", "river", "engine"])
    with pytest.raises(InputError, match="all 3 texts are one word"):
        trained(tiny_encoder, tmp_path, data, run={"dropout": 0.0}, views="crop")


@pytest.mark.parametrize("share", [0.0, -0.1, 1.5, float("nan")])
def test_a_share_out_of_range_is_refused(share):
    with pytest.raises(InputError, match="min_share"):
        resolve_options("simcse", {"min_share": share})


def test_whole_texts_are_no_crops_without_dropout(tiny_encoder, tmp_path: Path):
    with pytest.raises(InputError, match="both crops of a text would be equal"):
        trained(tiny_encoder, tmp_path, run={"dropout": 0.0}, views="crop", min_share=1.0)


@pytest.mark.parametrize("option", [{"scale": 0.0}, {"negative_weight": -1.0}])
def test_numbers_out_of_range_are_refused(option):
    with pytest.raises(InputError, match=next(iter(option))):
        resolve_options("simcse", option)


@pytest.mark.parametrize("make", [pairs, triplets, nli])
def test_pairs_are_trained_as_mnr_does(make, new_encoder, tmp_path: Path):
    ours, mnr = new_encoder(), new_encoder()
    fit = make_fit(ours, tmp_path / "a")
    train_simcse(fit, make(24))
    train_mnr(make_fit(mnr, tmp_path / "b"), make(24))
    assert same_weights(weights(ours), weights(mnr))
    assert any("supervised variant" in note for note in fit.notes)


@pytest.mark.parametrize("kind", ["pairs", "nli"])
@pytest.mark.parametrize("views", ["dropout", "crop"])
def test_views_asked_for_take_the_texts_of_pairs_alone(kind, views, tiny_encoder, tmp_path: Path):
    fit = Watch(make_fit(tiny_encoder, tmp_path))
    data = DATA[kind](12)
    train_simcse(fit, data, views=views)
    assert fit.data.texts("text") == data.all_texts()


def test_a_weight_of_one_and_of_almost_one_train_alike(new_encoder, tmp_path: Path):
    one = trained(new_encoder(), tmp_path / "a", nli(24))
    near = trained(new_encoder(), tmp_path / "b", nli(24), negative_weight=1 + 1e-9)
    for name, tensor in one.items():
        torch.testing.assert_close(near[name], tensor, atol=1e-4, rtol=0)


def test_a_weight_counts_an_anchors_own_negatives(new_encoder, tmp_path: Path):
    """With several a row: the loss of one batch, by equation 8."""
    data = make_data(
        "pairs",
        anchor=["apple", "river", "engine"],
        positive=[["paint apple", "carry apple"], ["clean river"], ["carry engine"]],
        negative=[["letter", "planet"], [], ["garden"]],
    )
    encoder, log = new_encoder(), Log()
    texts = ["apple", "river", "engine", "paint apple", "carry apple", "clean river"]
    texts += ["carry engine", "letter", "planet", "garden"]
    v = {
        text: row / np.linalg.norm(row)
        for text, row in zip(texts, encoder.encode(texts, precision="float32"), strict=True)
    }
    rows = [("apple", "paint apple"), ("apple", "carry apple"), ("river", "clean river")]
    rows += [("engine", "carry engine")]
    own = {"apple": {"letter", "planet"}, "river": set(), "engine": {"garden"}}
    terms = []
    for anchor, positive in rows:
        known = {b for a, b in rows if a == anchor} - {positive}
        others = [b for _, b in rows if b not in known] + ["letter", "planet", "garden"]
        weight = [3.0 if text in own[anchor] else 1.0 for text in others]
        e = [np.exp(20 * v[anchor] @ v[text]) for text in others]
        terms.append(-np.log(np.exp(20 * v[anchor] @ v[positive]) / np.dot(weight, e)))
    fit = make_fit(encoder, tmp_path, observers=[log], batch_size=3, dropout=0.0)
    train_simcse(fit, data, negative_weight=3.0)
    assert log.steps[0].loss == pytest.approx(np.mean(terms), rel=1e-4)


@pytest.mark.parametrize("data", [corpus(), pairs(12)])
def test_a_weight_without_negatives_is_refused(data, tiny_encoder, tmp_path: Path):
    with pytest.raises(InputError, match="negative_weight"):
        trained(tiny_encoder, tmp_path, data, negative_weight=2.0)


def test_one_distinct_text_is_refused(tiny_encoder, tmp_path: Path):
    with pytest.raises(InputError, match="same text"):
        trained(tiny_encoder, tmp_path, make_data("texts", text=["apple", "Apple!"]))


def test_a_batch_of_one_is_refused(tiny_encoder, tmp_path: Path):
    with pytest.raises(InputError, match="a batch of one row"):
        trained(tiny_encoder, tmp_path, run={"batch_size": 1})


def test_small_parts_give_the_same_gradients_with_their_dropout_replayed(
    new_encoder, tmp_path: Path
):
    """With crops and no dropout the parts' order of draws does not matter: the same weights."""
    whole, parts = new_encoder(), new_encoder()
    for encoder, budget in ((whole, 8192), (parts, 64)):
        run = {"dropout": 0.0, "micro_tokens": budget, "batch_size": 12, "learning_rate": 1e-4}
        trained(encoder, tmp_path / str(budget), run=run, views="crop")
    after = weights(parts)
    for name, tensor in weights(whole).items():
        torch.testing.assert_close(after[name], tensor, atol=1e-4, rtol=0)
