"""Twenty steps of the peer, for ours to be held to: same weights, data, order and seed.

The peer's trainer needs accelerate, which it does not bring; so its models and its loss modules are
driven here by torch's own AdamW with the settings that its trainer would use.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from conftest import TOPICS
from likewise.data.dataset import Dataset
from likewise.models.cross_encoder import CrossEncoder
from likewise.models.encoder import Encoder
from likewise.training.objective import Objective
from likewise.training.sampling import Groups, Sampling
from training.small_runs import Log, make_data, make_fit

RATE, CLIP, BATCH, STEPS, SEED = 5e-4, 1.0, 8, 20, 11
EPOCHS = 2.5  # of 64 rows
TOLERANCE = 1e-4  # in every loss, and in every weight after the last step
ANSWERS = [f"a guide to {verb} any {noun} at home" for verb, noun in TOPICS]
FORMS = ("someone does {} a {}", "people {} the {} every day", "nobody can {} the {}")


def triplets() -> Dataset:
    """No text answers two anchors: the peer masks nothing, and so there is nothing to mask."""
    return make_data(
        "pairs",
        anchor=[f"how do people {verb} the {noun}" for verb, noun in TOPICS],
        positive=ANSWERS,
        negative=[f"nobody can {verb} the {noun}" for verb, noun in TOPICS],
    )


def pairs() -> Dataset:
    return triplets().only("anchor", "positive")


def distilled() -> Dataset:
    """Two negatives a row, and what a teacher thinks of all three."""
    rows = triplets()
    others = [f"someone does {verb} a {noun}" for verb, noun in TOPICS]
    return make_data(
        "distilled",
        anchor=rows.texts("anchor"),
        positive=rows.texts("positive"),
        negative=[[a, b] for a, b in zip(rows.texts("negative"), others, strict=True)],
        scores=[[2.0 + i % 3 / 2, i % 5 / 4, i % 2 - 1.0] for i in range(64)],
    )


def scored() -> Dataset:
    return make_data(
        "scored",
        sentence1=triplets().texts("anchor"),
        sentence2=[ANSWERS[i + i % 2] if i < 63 else ANSWERS[i] for i in range(64)],
        score=[(i % 4) / 3 for i in range(64)],
        score_range=(0.0, 1.0),
    )


def pair_labels() -> Dataset:
    """Labels that no likeness explains, so that no batch is easy."""
    return make_data(
        "pair-labels",
        sentence1=triplets().texts("anchor"),
        sentence2=ANSWERS,
        label=[i // 3 % 2 for i in range(64)],
    )


def nli() -> Dataset:
    return make_data(
        "nli",
        premise=[f"people {verb} the {noun} here" for verb, noun in TOPICS],
        hypothesis=[FORMS[i % 3].format(*topic) for i, topic in enumerate(TOPICS)],
        label=[i % 3 for i in range(64)],
    )


def labelled() -> Dataset:
    """Eight classes of eight texts."""
    return make_data(
        "labelled",
        text=[f"how do people {verb} the {noun}" for verb, noun in TOPICS],
        label=[verb for verb, _ in TOPICS],
    )


def texts() -> Dataset:
    return make_data("texts", text=ANSWERS)


def batches(data: Dataset, *, grouped: bool = False) -> Iterator[list[int]]:
    """The rows of the steps that our sampling draws."""
    codes = np.unique(data.labels(), return_inverse=True)[1] if grouped else None
    groups = None if codes is None else Groups(codes)
    sampling = Sampling(n_rows=len(data), batch_size=BATCH, seed=SEED, groups=groups)
    return (sampling.rows(step).tolist() for step in range(STEPS))


@contextmanager
def quiet() -> Iterator[None]:
    """Without what the peer warns about, which is itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def without_dropout(model: Any) -> Any:
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return model


def drive(
    loss: nn.Module, values: Iterator[Callable[[], Tensor]], *, rate: float = RATE
) -> list[float]:
    """Train the weights of a loss of the peer, its model among them, step by step."""
    optimiser = torch.optim.AdamW(loss.parameters(), lr=rate, weight_decay=0.0)
    losses = []
    loss.train()
    for compute in values:
        value = compute()
        value.backward()
        nn.utils.clip_grad_norm_(loss.parameters(), CLIP)
        optimiser.step()
        optimiser.zero_grad()
        losses.append(float(value.detach()))
    return losses


RUN: dict[str, Any] = {
    "seed": SEED,
    "epochs": EPOCHS,
    "batch_size": BATCH,
    "learning_rate": RATE,
    "warmup": 0.0,
    "schedule": "constant",
    "weight_decay": 0.0,
    "clip": CLIP,
    "dropout": 0.0,
}


def train_ours(
    model: Encoder | CrossEncoder,
    data: Dataset,
    objective: Objective,
    folder: Path,
    **options: Any,
) -> Log:
    """The same twenty steps of ours."""
    log = Log()
    fit = make_fit(model, folder, observers=[log], **(RUN | options))
    fit(data, objective)
    return log


def assert_same_losses(found: Sequence[float], expected: Sequence[float]) -> None:
    assert len(found) == len(expected) == STEPS
    assert list(found) == pytest.approx(list(expected), abs=TOLERANCE, rel=0)
    assert abs(expected[0] - expected[-1]) > 1e-3  # they did train


def assert_same_weights(found: nn.Module, expected: nn.Module, but: Sequence[str] = ()) -> None:
    """All weights, but those named and the biases of keys.

    The bias of the keys adds the same to every score of a query, which the soft-max takes away
    again: its gradient is rounding alone, and Adam makes steps of any gradient.
    """
    theirs = expected.state_dict()
    far = {}
    for name, tensor in found.state_dict().items():
        apart = (tensor - theirs[name]).abs()
        if name.endswith("qkv.bias"):
            queries, _, values = apart.chunk(3)
            apart = torch.cat([queries, values])
        if name not in but:
            far[name] = float(apart.max())
    assert {name: most for name, most in far.items() if most > TOLERANCE} == {}
