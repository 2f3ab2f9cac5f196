from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from conftest import TOPICS, answer
from likewise.data.dataset import Dataset
from likewise.errors import InputError
from likewise.methods.recipe import resolve_options
from likewise.methods.tsdae import train_tsdae, tsdae_objective
from likewise.models.build import load
from likewise.models.denoising_decoder import build_decoder
from likewise.models.encoder import Encoder
from likewise.text.noise import NOISES
from likewise.training.denoising import make_damaging
from likewise.training.options import TrainingOptions
from methods.small_data import nli
from training.small_runs import Log, make_data, make_fit, same_weights, weights

RUN: dict[str, Any] = {"batch_size": 8, "warmup": 0.0}


def answers(n: int = 24) -> Dataset:
    return make_data("texts", text=[answer(*topic) for topic in TOPICS[:n]])


def loss_and_gradients(
    encoder: Encoder, folder: Path, *, micro_tokens: int, **options: Any
) -> tuple[float, dict[str, torch.Tensor]]:
    """Of one batch, whose vectors are given; with dropout, from the same state each time."""
    texts = answers()
    fit = make_fit(encoder, folder, micro_tokens=micro_tokens)
    decoder = build_decoder(encoder, seed=2, **options)
    damage = make_damaging(encoder, texts, NOISES["delete"], 0.6)
    objective = tsdae_objective(fit, decoder, damage)
    batch = objective.feed(encoder, texts, TrainingOptions()).collate(np.arange(24), 0)
    vectors = torch.randn(24, 32, generator=torch.Generator().manual_seed(1)).requires_grad_()
    loss = objective.loss(vectors, batch)
    loss.backward()
    assert vectors.grad is not None
    named = {**dict(decoder.named_parameters()), **dict(encoder.backbone.named_parameters())}
    found = {name: p.grad for name, p in named.items() if p.grad is not None}
    return float(loss.detach()), {**found, "vectors": vectors.grad}


@pytest.mark.parametrize("tie", [True, False])
def test_a_decoder_in_parts_has_the_same_loss_and_gradients(tie: bool, new_encoder, tmp_path: Path):
    whole = loss_and_gradients(new_encoder(), tmp_path, micro_tokens=8192, tie=tie)
    parts = loss_and_gradients(new_encoder(), tmp_path, micro_tokens=64, tie=tie)
    assert parts[0] == pytest.approx(whole[0], abs=1e-5)
    assert parts[1].keys() == whole[1].keys()
    for name, gradient in whole[1].items():
        torch.testing.assert_close(parts[1][name], gradient, atol=1e-5, rtol=1e-4, msg=name)


def test_a_loss_without_a_text_to_write_is_a_mistake(tiny_encoder: Encoder, tmp_path: Path):
    texts = answers()
    damage = make_damaging(tiny_encoder, texts, NOISES["delete"], 0.6)
    fit = make_fit(tiny_encoder, tmp_path)
    objective = tsdae_objective(fit, build_decoder(tiny_encoder, seed=1), damage)
    batch = objective.feed(tiny_encoder, texts, TrainingOptions()).collate(np.arange(4), 0)
    with pytest.raises(ValueError, match="no text"):
        objective.loss(torch.zeros(4, 32), replace(batch, targets=None))


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("tie", [True, False])
def test_texts_are_learnt_with_every_noise(
    noise: str, tie: bool, tiny_encoder: Encoder, tmp_path: Path
):
    log = Log()
    fit = make_fit(tiny_encoder, tmp_path, observers=[log], epochs=12, learning_rate=5e-3, **RUN)
    train_tsdae(fit, answers(), noise=noise, tie=tie)
    losses = [step.loss for step in log.steps]
    assert np.mean(losses[-3:]) < 0.5 * np.mean(losses[:3])


def test_the_vector_comes_to_hold_the_text(tiny_encoder: Encoder, tmp_path: Path):
    """With two texts the decoder has to know from the vector which of them to write."""
    texts = make_data("texts", text=["apple river engine", "letter planet garden violin"])
    fit = make_fit(tiny_encoder, tmp_path, epochs=150, learning_rate=5e-3, dropout=0.0, **RUN)
    train_tsdae(fit, texts, ratio=0.3)
    assert [note for note in fit.notes if "written" in note] == [
        f'an example: "{text}" is written from its vector as "{text}"'
        for text in texts.texts("text")
    ]


def test_the_pooling_of_the_paper_is_taken_said_and_saved(tiny_encoder: Encoder, tmp_path: Path):
    fit = make_fit(tiny_encoder, tmp_path, **RUN)
    train_tsdae(fit, answers())
    assert "pooling: cls from now on, also in the saved model; it was mean" in fit.notes
    saved = load(tiny_encoder.save(tmp_path / "model"), device="cpu")
    assert saved.contents.pooling.modes == ("cls",)


def test_the_pooling_may_stay_as_it_is(tiny_encoder: Encoder, tmp_path: Path):
    fit = make_fit(tiny_encoder, tmp_path, **RUN)
    train_tsdae(fit, answers(), pooling="model")
    assert tiny_encoder.contents.pooling.modes == ("mean",)
    assert not any("pooling" in note for note in fit.notes)


def test_of_the_decoder_nothing_is_saved(tiny_encoder: Encoder, tmp_path: Path):
    before = set(tiny_encoder.to_contents().weights)
    train_tsdae(make_fit(tiny_encoder, tmp_path, **RUN), answers())
    assert set(tiny_encoder.to_contents().weights) == before


def test_damaged_texts_are_shown_before_and_written_ones_after(
    tiny_encoder: Encoder, tmp_path: Path
):
    told: list[str] = []
    log = Log(act=lambda _: told.append("a step"))
    fit = make_fit(tiny_encoder, tmp_path, observers=[log], **RUN)
    fit.say = told.append
    train_tsdae(fit, answers())
    damaged, steps, written = (
        [i for i, line in enumerate(told) if word in line]
        for word in ("is damaged to", "a step", "is written from its vector")
    )
    assert (len(damaged), len(written)) == (3, 3)
    assert damaged[-1] < steps[0] < steps[-1] < written[0]


def test_tied_and_own_weights_train_to_other_models(new_encoder, tmp_path: Path):
    tied, own = new_encoder(), new_encoder()
    train_tsdae(make_fit(tied, tmp_path / "tied", **RUN), answers())
    train_tsdae(make_fit(own, tmp_path / "own", **RUN), answers(), tie=False)
    assert not same_weights(weights(tied), weights(own))


def test_a_batch_over_the_budget_trains_alike(new_encoder, tmp_path: Path):
    options: dict[str, Any] = {"batch_size": 24, "dropout": 0.0, "epochs": 3}
    whole, parts = new_encoder(), new_encoder()
    train_tsdae(make_fit(whole, tmp_path / "whole", **options), answers())
    train_tsdae(make_fit(parts, tmp_path / "parts", micro_tokens=64, **options), answers())
    expected = weights(whole)
    for name, tensor in weights(parts).items():
        if not name.endswith("qkv.bias"):  # that of the keys has no gradient but rounding
            torch.testing.assert_close(tensor, expected[name], atol=1e-4, rtol=0, msg=name)


def test_texts_of_one_word_are_left_out_and_counted(tiny_encoder: Encoder, tmp_path: Path):
    texts = make_data("texts", text=["apple", "xyz", *answers(8).texts("text"), "apple,river"])
    log = Log()
    fit = make_fit(tiny_encoder, tmp_path, observers=[log], **RUN)
    train_tsdae(fit, texts)
    assert sum(step.rows for step in log.steps) == 9  # "apple,river" is three words
    assert any("left out: 2" in note for note in fit.notes)


def test_texts_of_one_word_alone_are_refused(tiny_encoder: Encoder, tmp_path: Path):
    texts = make_data("texts", text=["apple", "river", "engine"])
    with pytest.raises(InputError, match="3 of 3 texts are one word") as caught:
        train_tsdae(make_fit(tiny_encoder, tmp_path), texts)
    assert "memory.jsonl" in str(caught.value)
    assert not list(tmp_path.glob("step*"))


def test_a_corpus_of_duplicates_is_refused(tiny_encoder: Encoder, tmp_path: Path):
    texts = make_data("texts", text=["the same text"] * 5)
    with pytest.raises(InputError, match="all 5 rows have the same text"):
        train_tsdae(make_fit(tiny_encoder, tmp_path), texts)


@pytest.mark.parametrize("ratio", [0.0, 1.0, -0.2, float("nan")])
def test_a_ratio_out_of_range_is_refused(ratio: float):
    with pytest.raises(InputError, match="ratio"):
        resolve_options("tsdae", {"ratio": ratio})


def test_an_unknown_noise_is_answered_with_the_nearest():
    with pytest.raises(InputError, match='no noise "delet"') as caught:
        resolve_options("tsdae", {"noise": "delet"})
    assert "delete" in caught.value.mend


def test_a_vocabulary_without_a_mask_cannot_hide_words(tiny_folder: Path, tmp_path: Path):
    file = tiny_folder / "tokenizer.json"
    file.write_text(file.read_text(encoding="utf-8").replace("[MASK]", "[HOLE]"), encoding="utf-8")
    fit = make_fit(load(tiny_folder, device="cpu"), tmp_path)
    with pytest.raises(InputError, match="no token that hides") as caught:
        train_tsdae(fit, answers(), noise="mask")
    assert "noise=delete" in caught.value.mend


@pytest.mark.parametrize("pooling", ["cls", "model"])
def test_a_static_base_is_refused(pooling, word_vectors: str, tmp_path: Path):
    fit = make_fit(load(word_vectors, device="cpu"), tmp_path)
    with pytest.raises(InputError, match="no layers"):
        train_tsdae(fit, answers(), pooling=pooling)


def test_dimensions_within_dimensions_are_refused(tiny_encoder: Encoder, tmp_path: Path):
    fit = make_fit(tiny_encoder, tmp_path, matryoshka=(16,))
    with pytest.raises(InputError, match="matryoshka does not go with this method"):
        train_tsdae(fit, answers())


def test_the_texts_of_all_columns_are_taken(tiny_encoder: Encoder, tmp_path: Path):
    log = Log()
    data = nli(24)
    train_tsdae(make_fit(tiny_encoder, tmp_path, observers=[log], **RUN), data)
    assert sum(step.rows for step in log.steps) == len(set(data.all_texts()))
