"""Masked language models beside those of transformers: same ids, same labels, same weights."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from torch import Tensor, nn

from conftest import NOUNS, VERBS
from likewise.data.dataset import Dataset
from likewise.methods.mlm import train_mlm
from likewise.models.architectures import ARCHITECTURES
from likewise.models.architectures.mlm_heads import MLM_FAMILIES
from likewise.models.architectures.names import from_checkpoint
from likewise.models.build import from_contents, load
from likewise.models.encoder import Encoder
from likewise.models.folder.contents import ModelFolder
from likewise.models.folder.read import read_folder
from likewise.models.folder.tokenizer_files import parse_tokenizer, unknown_id
from likewise.models.mlm_head import HEAD_FILE, find_head, save_masked_lm, with_head
from likewise.text.masking import Masked, mask_tokens, read_vocabulary
from likewise.text.packed import pack
from likewise.training.batch import Batch
from likewise.training.masked_batch import TOKENS, embed_marked, masked_loss
from likewise.training.seeding import generator
from models.architectures.families import CONFIGS, make_theirs
from parity.peer_steps import (
    EPOCHS,
    SEED,
    STEPS,
    assert_same_losses,
    batches,
    drive,
    without_dropout,
)
from training.small_runs import Log, make_data, make_fit

NOT_COUNTED = -100
each_family = pytest.mark.parametrize("family", MLM_FAMILIES)


def texts() -> Dataset:
    forms = ("how do people {} the {}", "a guide to {} any {} at home every day")
    made = [
        forms[(i + j) % 2].format(v, n) for i, v in enumerate(VERBS) for j, n in enumerate(NOUNS)
    ]
    return make_data("texts", text=made)


@dataclass(frozen=True)
class Twins:
    """The same encoder and head twice."""

    family: str
    ours: Encoder
    theirs: nn.Module
    padding: int

    def names(self) -> dict[str, tuple[str, ...]]:
        """Our names, of encoder and head, to theirs."""
        config = self.ours.contents.config
        named, head = MLM_FAMILIES[self.family], find_head(self.ours.contents, seed=0).head
        return {
            **{
                ours: tuple(f"{named.prefix}{name}" for name in theirs)
                for ours, theirs in ARCHITECTURES[self.family].names(config).items()
            },
            **{f"head.{ours}": theirs for ours, theirs in named.names(head).items()},
        }


def make_twins(family: str, folder: Path, into: Path) -> Twins:
    contents = read_folder(folder)
    vocabulary = parse_tokenizer(contents.files, where="here").get_vocab_size()
    model_type, sizes = CONFIGS[family]
    config, drawn = make_theirs(model_type, {**sizes, "vocab_size": vocabulary}, seed=5)
    weights = {name: 0.5 * tensor.clone() for name, tensor in drawn.state_dict().items()}
    weights = {n: 2 * t if t.dim() == 1 and n.endswith("weight") else t for n, t in weights.items()}
    ours = from_contents(
        ModelFolder(config=config, weights=weights, files=contents.files, max_tokens=32)
    )
    head = find_head(ours.contents, seed=2).head
    ours.contents = with_head(ours.contents, head)
    save_masked_lm(ours, into)
    theirs = transformers.AutoModelForMaskedLM.from_pretrained(into)
    padding = int(config.get("pad_token_id") or 0)
    return Twins(family, ours, without_dropout(theirs), padding)


def mask(encoder: Encoder, rows: list[int], data: Dataset, step: int) -> Masked:
    """What the method hides in this step."""
    files = encoder.contents.files
    vocabulary = read_vocabulary(parse_tokenizer(files, where="a"), unknown_id(files, where="a"))
    assert vocabulary is not None
    ids = encoder.tokenizer.tokenize([data.texts("text")[row] for row in rows]).ids
    order = np.argsort([len(text) for text in ids], kind="stable")
    return mask_tokens(pack([ids[i] for i in order]), vocabulary, generator(SEED, "mask", step))


def their_loss(twins: Twins, masked: Masked) -> Tensor:
    """Padded to a rectangle, with labels at the marked places alone."""
    packed = masked.packed
    labels = torch.full_like(packed.ids, NOT_COUNTED)
    labels[packed.pooled] = masked.tokens
    is_token = torch.arange(int(packed.lengths.max()))[None, :] < packed.lengths[:, None]
    ids, wanted = torch.full(is_token.shape, twins.padding), torch.full(is_token.shape, NOT_COUNTED)
    ids[is_token], wanted[is_token] = packed.ids, labels
    return twins.theirs(input_ids=ids, attention_mask=is_token.long(), labels=wanted).loss


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@each_family
def test_loss_and_gradients_of_a_batch(family: str, tiny_folder: Path, tmp_path: Path):
    twins = make_twins(family, tiny_folder, tmp_path / "masked")
    masked = mask(twins.ours, list(range(12)), texts(), 0)
    expected = their_loss(twins, masked)
    expected.backward()
    head = find_head(twins.ours.contents, seed=0).head
    batch = Batch(
        packed=masked.packed,
        rows=np.arange(12),
        texts=np.arange(12),
        picks={},
        values={TOKENS: masked.tokens},
    )
    states = embed_marked(twins.ours)(masked.packed, dtype=torch.float32)
    found = masked_loss(twins.ours, head, torch.float32)(states, batch)
    found.backward()
    torch.testing.assert_close(found.detach(), expected.detach(), atol=1e-5, rtol=0)
    given = {n: p.grad for n, p in twins.theirs.named_parameters() if p.grad is not None}
    theirs, _, _ = from_checkpoint(given, twins.names())
    mine = {
        **{n: p.grad for n, p in twins.ours.backbone.named_parameters()},
        **{f"head.{n}": p.grad for n, p in head.named_parameters()},
    }
    assert len(theirs) > 20
    for name, gradient in theirs.items():
        torch.testing.assert_close(mine[name], gradient, atol=1e-5, rtol=1e-5, msg=name)


@each_family
def test_twenty_steps_beside_the_peer(family: str, tiny_folder: Path, tmp_path: Path):
    twins, data = make_twins(family, tiny_folder, tmp_path / "masked"), texts()

    def values() -> Iterator[Any]:
        for step, rows in enumerate(batches(data)):
            masked = mask(twins.ours, rows, data, step)
            yield lambda masked=masked: their_loss(twins, masked)

    expected = drive(twins.theirs, values())
    log = Log()
    fit = make_fit(
        twins.ours,
        tmp_path / "run",
        observers=[log],
        seed=SEED,
        epochs=EPOCHS,
        batch_size=8,
        learning_rate=5e-4,
        warmup=0.0,
        schedule="constant",
        weight_decay=0.0,
        dropout=0.0,
    )
    train_mlm(fit, data, held_out=0)
    assert_same_losses([step.loss for step in log.steps], expected)
    assert len(log.steps) == STEPS
    saved = twins.ours.save(tmp_path / "saved")
    assert (saved / HEAD_FILE).is_file()
    again = save_masked_lm(load(saved, device="cpu"), tmp_path / "again")
    ours = transformers.AutoModelForMaskedLM.from_pretrained(again).state_dict()
    theirs = twins.theirs.state_dict()
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        if "key" in name and name.endswith("bias"):
            continue  # adds the same to every score of a query: its gradient is rounding alone
        torch.testing.assert_close(tensor, theirs[name], atol=1e-4, rtol=0, msg=name)
