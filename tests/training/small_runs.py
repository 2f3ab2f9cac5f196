"""Small data made in memory, and one call that trains on it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from conftest import TOPICS, answer, question
from likewise.data.dataset import Dataset
from likewise.losses import LOSSES
from likewise.losses.cross_encoder import binary_cross_entropy, ranking_softmax
from likewise.losses.softmax_classification import pair_classifier
from likewise.models.cross_encoder import CrossEncoder
from likewise.models.encoder import Encoder
from likewise.training.batch import Batch
from likewise.training.events import Evaluated, Event, StepDone
from likewise.training.fit import Fit
from likewise.training.objective import Objective, objective_of
from likewise.training.options import TrainingOptions
from likewise.training.pair_batch import pair_feed
from likewise.training.seeding import torch_seed


def make_data(
    kind: str, *, score_range: tuple[float, float] | None = None, **columns: list[Any]
) -> Dataset:
    """A data set of that kind from one list a role; a list of lists for several texts a row."""
    types = {"score": pa.float64(), "scores": pa.list_(pa.float64()), "group": pa.int64()}
    text = pa.large_string()
    arrays = {}
    for role, values in columns.items():
        several = any(isinstance(value, list) for value in values)
        usual = pa.large_list(text) if several else text
        if role == "label" and isinstance(values[0], int):
            usual = pa.int64()
        arrays[role] = pa.array(values, types.get(role, usual))
    n = len(next(iter(columns.values())))
    return Dataset(
        kind=kind,
        table=pa.table(arrays),
        sources=("memory.jsonl",),
        source=np.zeros(n, np.int32),
        row=np.arange(1, n + 1),
        columns={role: role for role in columns},
        score_range=score_range,
    )


def pairs(n: int = 24) -> Dataset:
    chosen = TOPICS[:n]
    return make_data(
        "pairs",
        anchor=[question(*topic) for topic in chosen],
        positive=[answer(*topic) for topic in chosen],
    )


def scored(n: int = 24) -> Dataset:
    """A question with its own answer (5), and with that of the next noun (1)."""
    return make_data(
        "scored",
        sentence1=[question(*TOPICS[i]) for i in range(n)],
        sentence2=[answer(*TOPICS[i + i % 2]) for i in range(n)],
        score=[5.0 - 4.0 * (i % 2) for i in range(n)],
        score_range=(0.0, 5.0),
    )


def nli(n: int = 24) -> Dataset:
    """Three rows a premise: entailed (0), neutral (1), contradicted (2)."""
    verbs = [TOPICS[i // 3] for i in range(n)]
    forms = ("someone does {} a {}", "people {} the {} every day", "nobody can {} the {}")
    return make_data(
        "nli",
        premise=[f"people {verb} the {noun} here" for verb, noun in verbs],
        hypothesis=[forms[i % 3].format(*topic) for i, topic in enumerate(verbs)],
        label=[i % 3 for i in range(n)],
    )


def labelled(n: int = 24, *, names: Sequence[str] = ("a", "b", "c")) -> Dataset:
    """Questions, in classes by turns."""
    return make_data(
        "labelled",
        text=[question(*topic) for topic in TOPICS[:n]],
        label=[names[i % len(names)] for i in range(n)],
    )


def triplets(n: int = 24) -> Dataset:
    """A question, its answer, and the answers to two others as negatives."""
    answers = [answer(*topic) for topic in TOPICS]
    return make_data(
        "pairs",
        anchor=[question(*topic) for topic in TOPICS[:n]],
        positive=answers[:n],
        negative=[[answers[(i + 9) % 64], answers[(i + 18) % 64]] for i in range(n)],
    )


def distilled(n: int = 24) -> Dataset:
    """The triplets, with a teacher's score of each answer."""
    pairs = triplets(n)
    return make_data(
        "distilled",
        anchor=pairs.texts("anchor"),
        positive=pairs.texts("positive"),
        negative=pairs.text_lists("negative"),
        scores=[[9.0, i % 3 / 2, -1.0] for i in range(n)],
    )


def mnr() -> Objective:
    return objective_of(LOSSES["mnr"])


def cosine() -> Objective:
    return objective_of(LOSSES["cosine"])


def yes_or_no() -> Objective:
    """Of a cross-encoder: scores as chances."""

    def loss(logits: Tensor, batch: Batch) -> Tensor:
        return binary_cross_entropy(logits.squeeze(-1)[batch.picks["pairs"]], batch.values["score"])

    return Objective(loss=loss, feed=pair_feed())


def ranking(negatives: int = 3) -> Objective:
    """Of a cross-encoder: the positive among negatives that are given or drawn."""

    def loss(logits: Tensor, batch: Batch) -> Tensor:
        return ranking_softmax(logits.squeeze(-1)[batch.picks["pairs"]], batch.values["mask"])

    feed = pair_feed("lists", negatives=negatives)
    return Objective(loss=loss, feed=feed, contrastive=negatives > 0)


def softmax(encoder: Encoder, *, seed: int = 7) -> Objective:
    with torch_seed(seed):
        head = pair_classifier(encoder.dimensions, 3)
    return objective_of(LOSSES["softmax"], head=head)


def grown(cross: CrossEncoder) -> CrossEncoder:
    """The same with larger weights: a new model of this size answers all pairs alike."""
    with torch.no_grad():
        for parameter in cross.module.parameters():
            if parameter.dim() > 1:
                parameter.mul_(8.0)
    return cross


@dataclass
class Log:
    """Observer that keeps every event, and may act on one."""

    events: list[Event] = field(default_factory=list)
    act: Callable[[Event], None] = lambda _: None

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self.act(event)

    @property
    def steps(self) -> list[StepDone]:
        return [event for event in self.events if isinstance(event, StepDone)]

    @property
    def evaluated(self) -> list[Evaluated]:
        return [event for event in self.events if isinstance(event, Evaluated)]

    def timeless(self) -> list[Event]:
        """The events without the only field that differs between equal runs."""
        return [replace(e, seconds=0.0) if isinstance(e, StepDone) else e for e in self.events]


def make_fit(
    encoder: Encoder | CrossEncoder,
    folder: Path,
    *,
    observers: Sequence[Callable[[Event], None]] = (),
    evaluate: Callable[[Encoder], Evaluated] | None = None,
    resume: bool = False,
    probe_seconds: float = 0.0,
    **options: Any,
) -> Fit:
    """A fit with quick options; without an `evaluate` nothing is measured."""
    usual = {"precision": "float32", "batch_size": 4, "learning_rate": 1e-3}
    return Fit(
        encoder=encoder,
        options=TrainingOptions(**(usual | options)),
        folder=folder,
        evaluate=evaluate,
        dev_tokens=1 if evaluate else 0,
        probe_seconds=probe_seconds,
        observers=observers,
        resume=resume,
    )


class Watch:
    """A fit that keeps what the method asks it to train on."""

    def __init__(self, fit: Fit) -> None:
        self.fit = fit
        self.options = fit.options
        self.encoder = fit.encoder
        self.notes = fit.notes
        self.note = fit.note
        self.data: Dataset | None = None

    def __call__(self, data: Dataset, objective: Objective) -> None:
        self.data = data
        self.fit(data, objective)


class Crash(Exception):
    """As if the machine had gone down."""


def crash_after(step: int) -> Log:
    def act(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == step:
            raise Crash

    return Log(act=act)


def weights(encoder: Encoder | CrossEncoder) -> dict[str, Tensor]:
    return {name: t.detach().clone() for name, t in encoder.module.state_dict().items()}


def same_weights(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    """Bit for bit."""
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def series(values: Sequence[float]) -> Callable[[Encoder], Evaluated]:
    """An evaluation that finds one value after the other."""
    left = iter(values)

    def evaluate(_: Encoder) -> Evaluated:
        value = next(left)
        return Evaluated(step=0, metric="made up", value=value, low=value, high=value)

    return evaluate
