"""TSDAE beside sentence-transformers 6.2: the same weights, and the same damaged texts.

The peer builds a decoder of transformers and ties its weights to the encoder's; what is new in it,
cross-attention and the head to the vocabulary, is copied into ours. Its queries and keys have no
counterpart here: over the one vector of a text they change nothing, and the runs show it.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import DenoisingAutoEncoderLoss
from torch import Tensor, nn

from conftest import TOPICS
from likewise.data.dataset import Dataset
from likewise.methods.tsdae import tsdae_objective
from likewise.models.architectures.names import from_checkpoint
from likewise.models.build import load
from likewise.models.denoising_decoder import DenoisingDecoder, build_decoder
from likewise.models.encoder import Encoder, architecture_of
from likewise.models.source import resolve_model
from likewise.text.noise import NOISES
from likewise.text.packed import Packed
from likewise.training.batch import Batch
from likewise.training.denoising import make_damaging
from likewise.training.objective import Objective
from likewise.training.options import TrainingOptions
from parity.peer_steps import (
    ANSWERS,
    SEED,
    assert_same_losses,
    assert_same_weights,
    batches,
    drive,
    quiet,
    train_ours,
    without_dropout,
)
from training.small_runs import make_data, make_fit

both_ways = pytest.mark.parametrize("tie", [True, False], ids=["tied", "own"])


def texts() -> Dataset:
    """Of several lengths, so that the peer pads."""
    return make_data(
        "texts",
        text=[
            ANSWERS[i] + f" and {TOPICS[i][1]}" * (i % 4) if i % 3 else f"how to {TOPICS[i][0]}"
            for i in range(64)
        ],
    )


@pytest.fixture
def folder(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny model with the pooling of the paper."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    file = tiny_folder / "1_Pooling" / "config.json"
    modes = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    file.write_text(json.dumps(json.loads(file.read_text()) | modes))
    return tiny_folder


def open_peer(folder: Path, *, tie: bool) -> tuple[Any, DenoisingAutoEncoderLoss]:
    with quiet(), torch.random.fork_rng():
        torch.manual_seed(12)
        model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        name = None if tie else str(folder)
        loss = DenoisingAutoEncoderLoss(model, name, tie_encoder_decoder=tie)
    return model, without_dropout(loss)


def our_names(decoder: DenoisingDecoder) -> dict[str, str]:
    """What is new in a decoder: our names to those of transformers' BertLMHeadModel."""
    names = {"head.bias": "cls.predictions.bias"}
    for kind in ("weight", "bias"):
        transform = "cls.predictions.transform"
        names |= {
            f"head.dense.{kind}": f"{transform}.dense.{kind}",
            f"head.norm.{kind}": f"{transform}.LayerNorm.{kind}",
        }
        for i in range(len(decoder.crosses)):
            cross = f"bert.encoder.layer.{i}.crossattention"
            names |= {
                f"crosses.{i}.value.{kind}": f"{cross}.self.value.{kind}",
                f"crosses.{i}.out.{kind}": f"{cross}.output.dense.{kind}",
                f"crosses.{i}.norm.{kind}": f"{cross}.output.LayerNorm.{kind}",
            }
    return names


def our_decoder(encoder: Encoder, loss: DenoisingAutoEncoderLoss, *, tie: bool) -> DenoisingDecoder:
    """Ours with the weights that the peer drew."""
    decoder = build_decoder(encoder, tie=tie, seed=1)
    theirs = loss.decoder.state_dict()
    own = decoder.state_dict()
    for name, other in our_names(decoder).items():
        own[name].copy_(theirs[other])
    return decoder


def our_objective(encoder: Encoder, decoder: DenoisingDecoder, tmp_path: Path) -> Objective:
    damage = make_damaging(encoder, texts(), NOISES["delete"], 0.6)
    return tsdae_objective(make_fit(encoder, tmp_path), decoder, damage)


def padded(packed: Packed | None, order: list[int]) -> dict[str, Tensor]:
    """The texts of a stream in that order, as the peer takes them."""
    assert packed is not None
    parts = packed.ids.split(packed.lengths.tolist())
    rows = [parts[i] for i in order]
    ids = nn.utils.rnn.pad_sequence(rows, batch_first=True)
    masks = nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
    return {"input_ids": ids, "attention_mask": masks}


def for_peer(batch: Batch) -> list[dict[str, Tensor]]:
    """Damaged texts and whole ones."""
    picks = batch.picks["text"].tolist()
    return [padded(batch.packed, picks), padded(batch.targets, list(range(len(picks))))]


def backbone_gradients(encoder: Encoder, model: Any) -> dict[str, tuple[Tensor, Tensor]]:
    """Of the encoder's weights by our names, ours and the peer's."""
    theirs = {
        n: p.grad for n, p in model.transformers_model.named_parameters() if p.grad is not None
    }
    names = architecture_of(encoder.contents).names(encoder.contents.config)
    found, _, missing = from_checkpoint(theirs, names)
    assert missing == []
    ours = {name: p.grad for name, p in encoder.backbone.named_parameters()}
    return {name: (ours[name], gradient) for name, gradient in found.items()}


@both_ways
def test_loss_and_gradients_are_the_peers(tie: bool, folder: Path, tmp_path: Path):
    model, loss = open_peer(folder, tie=tie)
    encoder = load(folder, device="cpu")
    decoder = our_decoder(encoder, loss, tie=tie)
    objective = our_objective(encoder, decoder, tmp_path)
    batch = objective.feed(encoder, texts(), TrainingOptions(seed=3)).collate(np.arange(32), 0)
    expected = loss(for_peer(batch), None)
    expected.backward()
    found = objective.loss(encoder.embed(batch.packed), batch)
    found.backward()
    assert float(found.detach()) == pytest.approx(float(expected.detach()), abs=1e-5)
    for name, (mine, other) in backbone_gradients(encoder, model).items():
        torch.testing.assert_close(mine, other, atol=1e-5, rtol=0, msg=f"gradient of {name}")
    theirs = dict(loss.decoder.named_parameters())
    named = dict(decoder.named_parameters())
    for name, other_name in our_names(decoder).items():
        mine, other = named[name].grad, theirs[other_name].grad
        torch.testing.assert_close(mine, other, atol=1e-5, rtol=0, msg=f"gradient of {name}")
    for name, parameter in theirs.items():
        if "crossattention.self.query" in name or "crossattention.self.key" in name:
            assert float(parameter.grad.abs().max()) < 1e-7


@both_ways
def test_twenty_steps_beside_the_peer(tie: bool, folder: Path, tmp_path: Path):
    model, loss = open_peer(folder, tie=tie)
    encoder = load(folder, device="cpu")
    decoder = our_decoder(encoder, loss, tie=tie)
    objective = our_objective(encoder, decoder, tmp_path)
    data = texts()
    feed = objective.feed(encoder, data, TrainingOptions(seed=SEED))

    def values() -> Iterator[Callable[[], Tensor]]:
        for step, rows in enumerate(batches(data)):
            features = for_peer(feed.collate(np.array(rows), step))
            yield lambda features=features: loss(features, None)

    expected = drive(loss, values())
    log = train_ours(encoder, data, objective, tmp_path / "checkpoints")
    assert_same_losses([step.loss for step in log.steps], expected)
    with quiet():
        model.save(str(tmp_path / "peer"), create_model_card=False)
    assert_same_weights(encoder.module, load(tmp_path / "peer", device="cpu").module)
    theirs, own = loss.decoder.state_dict(), decoder.state_dict()
    for name, other in our_names(decoder).items():
        torch.testing.assert_close(own[name], theirs[other], atol=1e-4, rtol=0, msg=name)


@pytest.mark.slow
def test_the_loss_of_real_weights_is_the_peers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """MiniLM pools by the mean and normalises: the decoder reads what comes behind both."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder = resolve_model("minilm")
    _, loss = open_peer(folder, tie=True)
    encoder = load(folder, device="cpu")
    objective = our_objective(encoder, our_decoder(encoder, loss, tie=True), tmp_path)
    batch = objective.feed(encoder, texts(), TrainingOptions(seed=3)).collate(np.arange(16), 0)
    with torch.no_grad():
        expected = loss(for_peer(batch), None)
        found = objective.loss(encoder.embed(batch.packed), batch)
    assert float(found) == pytest.approx(float(expected), abs=1e-5)
