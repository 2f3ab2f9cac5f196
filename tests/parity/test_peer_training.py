"""Training step by step beside sentence-transformers 6.2: the same losses, the same weights.

The peer's trainer needs accelerate, which it does not bring; so its models and its loss modules are
driven here by torch's own AdamW with the settings that its trainer would use.
"""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from conftest import TOPICS
from likewise.data.dataset import Dataset
from likewise.losses import LOSSES
from likewise.models.build import load
from likewise.training.events import StepDone
from likewise.training.objective import Objective, objective_of
from likewise.training.sampling import Sampling
from training.small_runs import Log, make_data, make_fit

RATE, CLIP, BATCH, STEPS = 5e-4, 1.0, 8, 20
EPOCHS = 2.5  # of 64 rows
FORMS = ("someone does {} a {}", "people {} the {} every day", "nobody can {} the {}")


def triplets() -> Dataset:
    """No text answers two anchors: the peer masks nothing, and so there is nothing to mask."""
    return make_data(
        "pairs",
        anchor=[f"how do people {verb} the {noun}" for verb, noun in TOPICS],
        positive=[f"a guide to {verb} any {noun} at home" for verb, noun in TOPICS],
        negative=[f"nobody can {verb} the {noun}" for verb, noun in TOPICS],
    )


def pairs() -> Dataset:
    return triplets().only("anchor", "positive")


def scored() -> Dataset:
    sides = triplets()
    positives = sides.texts("positive")
    return make_data(
        "scored",
        sentence1=sides.texts("anchor"),
        sentence2=[positives[i + i % 2] if i < 63 else positives[i] for i in range(64)],
        score=[(i % 4) / 3 for i in range(64)],
        score_range=(0.0, 1.0),
    )


def nli() -> Dataset:
    return make_data(
        "nli",
        premise=[f"people {verb} the {noun} here" for verb, noun in TOPICS],
        hypothesis=[FORMS[i % 3].format(*topic) for i, topic in enumerate(TOPICS)],
        label=[i % 3 for i in range(64)],
    )


def peer_model(folder: Path) -> Any:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return model


def peer_run(
    model: Any, loss: nn.Module, data: Dataset, target: str | None, seed: int
) -> list[float]:
    """Twenty steps over the batches that our sampling draws."""
    sampling = Sampling(n_rows=len(data), batch_size=BATCH, seed=seed)
    optimiser = torch.optim.AdamW(loss.parameters(), lr=RATE, weight_decay=0.0)
    columns = [data.texts(role) for role in data.text_roles()]
    losses = []
    model.train()
    for step in range(STEPS):
        rows = sampling.rows(step).tolist()
        features = [model.preprocess([column[i] for i in rows]) for column in columns]
        labels = None if target is None else torch.tensor([data.labels(target)[i] for i in rows])
        value: Tensor = loss(features, labels)
        value.backward()
        nn.utils.clip_grad_norm_(loss.parameters(), CLIP)
        optimiser.step()
        optimiser.zero_grad()
        losses.append(float(value.detach()))
    return losses


def mnr(model: Any, objective: Objective) -> nn.Module:
    from sentence_transformers.losses import MultipleNegativesRankingLoss

    return MultipleNegativesRankingLoss(model)


def cosine(model: Any, objective: Objective) -> nn.Module:
    from sentence_transformers.losses import CosineSimilarityLoss

    return CosineSimilarityLoss(model)


def softmax(model: Any, objective: Objective) -> nn.Module:
    from sentence_transformers.losses import SoftmaxLoss

    loss = SoftmaxLoss(model, model.get_embedding_dimension(), num_labels=3)
    assert objective.head is not None
    ours = list(objective.head.parameters())
    with torch.no_grad():
        for theirs, mine in zip(loss.classifier.parameters(), ours, strict=True):
            theirs.copy_(mine)
    return loss


Peer = Callable[[Any, Objective], nn.Module]


@pytest.mark.parametrize(
    ("name", "peer", "make", "target"),
    [
        ("mnr", mnr, pairs, None),
        ("mnr", mnr, triplets, None),
        ("cosine", cosine, scored, "score"),
        ("softmax", softmax, nli, "label"),
    ],
    ids=["mnr", "mnr with hard negatives", "cosine", "softmax"],
)
def test_twenty_steps_beside_the_peer(
    name: str,
    peer: Peer,
    make: Callable[[], Dataset],
    target: str | None,
    tiny_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    data, encoder, log = make(), load(tiny_folder, device="cpu"), Log()
    with torch.random.fork_rng():
        torch.manual_seed(4)
        spec = LOSSES[name]
        head = {} if spec.head is None else {"head": spec.head(encoder.dimensions, 3)}
    objective = objective_of(spec, **head)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peer's, about itself
        model = peer_model(tiny_folder)
        loss = peer(model, objective)
        expected = peer_run(model, loss, data, target, seed=11)
    fit = make_fit(
        encoder,
        tmp_path / "checkpoints",
        observers=[log],
        seed=11,
        epochs=EPOCHS,
        batch_size=BATCH,
        learning_rate=RATE,
        warmup=0.0,
        schedule="constant",
        weight_decay=0.0,
        clip=CLIP,
        dropout=0.0,
    )
    fit(data, objective)
    steps: list[StepDone] = log.steps
    assert [step.masked for step in steps] == [0] * STEPS
    assert [step.loss for step in steps] == pytest.approx(expected, abs=1e-4, rel=0)
    assert abs(expected[0] - expected[-1]) > 1e-3  # they did train
    theirs = tmp_path / "peer"
    model.save(str(theirs), create_model_card=False)
    trained = load(theirs, device="cpu").module.state_dict()
    for key, tensor in encoder.module.state_dict().items():
        torch.testing.assert_close(tensor, trained[key], atol=1e-4, rtol=0)
    if objective.head is not None:
        for mine, other in zip(
            objective.head.parameters(), loss.classifier.parameters(), strict=True
        ):
            torch.testing.assert_close(mine, other, atol=1e-4, rtol=0)
