"""SimCSE and Contrastive Tension beside sentence-transformers 6.2: the same weights and pairs.

What both sides draw at random is drawn once, by ours, and handed to the peer: rows, crops, and the
second text of a pair. Dropout cannot be: there the losses of many masks have one mean.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import ttest_ind
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import losses as peers
from torch import Tensor, nn

from likewise.methods.contrastive_tension import train_contrastive_tension
from likewise.methods.simcse import simcse_objective, train_simcse
from likewise.models.build import load
from likewise.models.encoder import Encoder
from likewise.training.batch import Batch
from likewise.training.crops import Shares
from likewise.training.feed import FeedOf
from likewise.training.options import TrainingOptions
from likewise.training.seeding import torch_seed
from likewise.training.text_views import crop_feed, twice_feed
from likewise.training.two_towers import both_feed, tension_feed
from parity.peer_steps import (
    RUN,
    SEED,
    STEPS,
    assert_same_losses,
    assert_same_weights,
    batches,
    drive,
    quiet,
    texts,
    without_dropout,
)
from training.small_runs import Log, make_fit

SEEDS = 240  # masks of dropout on each side


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def open_peer(folder: Path, *, dropout: bool = False) -> Any:
    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    return model if dropout else without_dropout(model)


def our_batches(feed: FeedOf, encoder: Encoder) -> Iterator[Batch]:
    """The batches that our loop trains on."""
    ready = feed(encoder, texts(), TrainingOptions(seed=SEED))
    return (ready.collate(np.array(rows), step) for step, rows in enumerate(batches(texts())))


def features_of(model: Any, batch: Batch, role: str) -> dict[str, Tensor]:
    """The very tokens of a role as the padded rectangle that the peer takes."""
    packed = batch.packed
    ids = [packed.ids[a:b] for a, b in zip(packed.starts, packed.starts[1:], strict=False)]
    chosen = [ids[place] for place in batch.picks[role].tolist()]
    padded = nn.utils.rnn.pad_sequence(chosen, batch_first=True)
    mask = nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in chosen], batch_first=True)
    return {"input_ids": padded, "attention_mask": mask}


def their_steps(
    loss: nn.Module, model: Any, feed: FeedOf, encoder: Encoder, roles: tuple[str, ...]
) -> list[float]:
    def values() -> Iterator[Callable[[], Tensor]]:
        for batch in our_batches(feed, encoder):
            columns = [features_of(model, batch, role) for role in roles]
            labels = batch.values.get("label")
            yield lambda columns=columns, labels=labels: loss(columns, labels)

    return drive(loss, values())


def saved(model: Any, folder: Path) -> nn.Module:
    with quiet():
        model.save(str(folder), create_model_card=False)
    return load(folder, device="cpu").module


CLASSIC, IN_BATCH = "classic", "in-batch"
TENSION = {
    CLASSIC: (peers.ContrastiveTensionLoss, tension_feed(7), ("second", "first")),
    # the peer gives the same texts to both models
    IN_BATCH: (peers.ContrastiveTensionLossInBatchNegatives, both_feed(), ("first",)),
}


@pytest.mark.parametrize("variant", TENSION)
def test_twenty_steps_of_contrastive_tension(variant: Any, tiny_folder: Path, tmp_path: Path):
    """The model that the peer keeps is its second, which is our first."""
    make, feed, roles = TENSION[variant]
    encoder, log = load(tiny_folder, device="cpu"), Log()
    with quiet():
        model = open_peer(tiny_folder)
        loss = make(model)
        expected = their_steps(loss, model, feed, encoder, roles)
    fit = make_fit(encoder, tmp_path / "run", observers=[log], **RUN, checkpoint_every=STEPS)
    train_contrastive_tension(fit, texts(), variant=variant)
    assert_same_losses([step.loss for step in log.steps], expected)
    assert_same_weights(encoder.module, saved(model, tmp_path / "peer"))
    head = second_encoder(tmp_path / "run")
    theirs = getattr(loss, "logit_scale", None)
    assert ("log_scale" in head) == (theirs is not None)
    if theirs is not None:
        torch.testing.assert_close(head.pop("log_scale"), theirs.detach(), atol=1e-4, rtol=0)
    second = load(tiny_folder, device="cpu").module
    second.load_state_dict({name.removeprefix("module."): t for name, t in head.items()})
    assert_same_weights(second, saved(loss.model1, tmp_path / "other"))


def second_encoder(run: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    (checkpoint,) = run.glob(f"step-*{STEPS}")
    found: dict[str, Tensor] = {}
    for path in checkpoint.glob("*.safetensors"):
        found |= load_file(path)
    return {k.removeprefix("head."): t for k, t in found.items() if k.startswith("head.")}


@pytest.mark.parametrize("variant", TENSION)
def test_gradients_of_contrastive_tension(variant: Any, tiny_folder: Path, tmp_path: Path):
    """A step of plain gradient descent is the gradient itself, in both encoders."""
    make, feed, roles = TENSION[variant]
    encoder = load(tiny_folder, device="cpu")
    with quiet():
        model = open_peer(tiny_folder)
        loss = make(model).train()
        batch = next(our_batches(feed, encoder))
        columns = [features_of(model, batch, role) for role in roles]
        value = loss(columns, batch.values.get("label"))
    value.backward()
    objective = objective_of_tension(encoder, variant, tmp_path)
    embeddings = objective.embed(encoder)(batch.packed, dtype=torch.float32)
    ours = objective.loss(embeddings, batch)
    ours.backward()
    assert ours.item() == pytest.approx(value.item(), abs=1e-4)
    for module in (loss, encoder.module, objective.head):
        descend(module)
    assert_same_weights(encoder.module, saved(model, tmp_path / "peer"))
    assert_same_weights(objective.head.module, saved(loss.model1, tmp_path / "other"))
    if variant == IN_BATCH:
        torch.testing.assert_close(objective.head.log_scale, loss.logit_scale, atol=1e-4, rtol=0)


def descend(module: nn.Module) -> None:
    """By the gradients themselves, which are not all zero."""
    found = [parameter for parameter in module.parameters() if parameter.grad is not None]
    assert max(float(parameter.grad.abs().max()) for parameter in found) > 1e-3
    with torch.no_grad():
        for parameter in found:
            parameter.sub_(parameter.grad)


class Caught(Exception):
    def __init__(self, objective: Any) -> None:
        super().__init__()
        self.objective = objective


def objective_of_tension(encoder: Encoder, variant: Any, folder: Path) -> Any:
    """What the method hands to the loop."""
    fit = make_fit(encoder, folder, **RUN)

    class Catching(type(fit)):  # type: ignore[misc]
        def __call__(self, data: Any, objective: Any) -> None:
            raise Caught(objective)

    with pytest.raises(Caught) as caught:
        train_contrastive_tension(Catching(**vars(fit)), texts(), variant=variant)
    return caught.value.objective


def test_twenty_steps_of_simcse_with_crops(tiny_folder: Path, tmp_path: Path):
    """The peer's loss of (one crop, another crop), without dropout on both sides."""
    encoder, log = load(tiny_folder, device="cpu"), Log()
    feed = crop_feed(Shares())
    with quiet():
        model = open_peer(tiny_folder)
        loss = peers.MultipleNegativesRankingLoss(model)
        expected = their_steps(loss, model, feed, encoder, ("anchor", "positive"))
    fit = make_fit(encoder, tmp_path / "run", observers=[log], **RUN)
    train_simcse(fit, texts(), views="crop")
    assert_same_losses([step.loss for step in log.steps], expected)
    assert_same_weights(encoder.module, saved(model, tmp_path / "peer"))


def test_with_dropout_the_losses_of_many_masks_have_one_mean(tiny_folder: Path, tmp_path: Path):
    """The peer is given (text, text); no difference of the means at p = 0.001 (Welch's t)."""
    encoder = load(tiny_folder, device="cpu")
    batch = next(our_batches(twice_feed(), encoder))
    objective = simcse_objective(twice_feed(), scale=20.0)
    with quiet():
        model = open_peer(tiny_folder, dropout=True)
        loss = peers.MultipleNegativesRankingLoss(model).train()
        columns = [features_of(model, batch, role) for role in ("anchor", "positive")]
    encoder.module.train()
    ours, theirs = [], []
    with torch.no_grad():
        for seed in range(SEEDS):
            with torch_seed(seed):
                ours.append(objective.loss(encoder.embed(batch.packed), batch).item())
                again = [dict(column) for column in columns]
                theirs.append(loss(again, None).item())
    assert np.std(ours) > 1e-3  # each seed has its own masks
    assert ttest_ind(ours, theirs, equal_var=False).pvalue > 0.001
    assert np.std(ours) == pytest.approx(np.std(theirs), rel=0.6)
    still = objective.loss(load(tiny_folder, device="cpu").embed(batch.packed), batch).item()
    assert abs(np.mean(ours) - still) > 3 * np.std(ours) / np.sqrt(SEEDS)  # dropout does matter
