"""Training a cross-encoder step by step beside sentence-transformers 6.2.

Both start from one folder. The peer draws negatives from torch's generator and we from ours: so
it is given all answers of the batch, or none, where there is nothing to draw.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from sentence_transformers import CrossEncoder as PeerCrossEncoder
from sentence_transformers.cross_encoder import losses as peers
from torch import Tensor, nn

from likewise.data.dataset import Dataset
from likewise.losses.cross_encoder import CROSS_LOSSES
from likewise.methods.cross_encoder import cross_objective
from likewise.models.build import load
from likewise.models.cross_encoder import CrossEncoder, from_encoder, load_cross_encoder
from parity.peer_steps import (
    BATCH,
    assert_same_losses,
    assert_same_weights,
    batches,
    drive,
    nli,
    pair_labels,
    pairs,
    quiet,
    scored,
    train_ours,
    triplets,
    without_dropout,
)
from training.small_runs import grown, make_data


class GivenNegatives(peers.MultipleNegativesRankingLoss):
    """The peer's loss without answers of other rows: it has no option for that."""

    def get_in_batch_negatives(
        self, anchors: list[str], candidates: list[list[str]]
    ) -> Iterator[list[str]]:
        return iter(())


def several() -> Dataset:
    """Lists of two to four candidates, one or two of which answer."""
    rows = triplets()
    positives, negatives = rows.texts("positive"), rows.texts("negative")
    return make_data(
        "pairs",
        anchor=rows.texts("anchor"),
        positive=[[p, f"the {p}"][: 1 + i % 2] for i, p in enumerate(positives)],
        negative=[[n, f"every {n}"][: 1 + i // 2 % 2] for i, n in enumerate(negatives)],
    )


@dataclass(frozen=True, kw_only=True)
class Case:
    """One loss on both sides: ours by name with its options, the peer's by class with its own.

    `still` are weights whose gradient is zero, but for rounding.
    """

    name: str
    data: Callable[[], Dataset]
    peer: type[nn.Module]
    classes: int = 1
    options: dict[str, Any] = field(default_factory=dict)
    theirs: dict[str, Any] = field(default_factory=dict)
    still: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        return "score" if self.data is scored else "label"


RAISES_ALL = ("head.classifier.bias",)  # it raises all logits alike, and changes no order
CASES = {
    "binary cross-entropy of labels": Case(
        name="binary-cross-entropy", data=pair_labels, peer=peers.BinaryCrossEntropyLoss
    ),
    "binary cross-entropy of scores": Case(
        name="binary-cross-entropy", data=scored, peer=peers.BinaryCrossEntropyLoss
    ),
    "binary cross-entropy with a weight": Case(
        name="binary-cross-entropy",
        data=pair_labels,
        peer=peers.BinaryCrossEntropyLoss,
        options={"positive_weight": 3.0},
        theirs={"pos_weight": torch.tensor(3.0)},
    ),
    "cross-entropy": Case(name="cross-entropy", data=nli, peer=peers.CrossEntropyLoss, classes=3),
    "mean squared error": Case(
        name="mse", data=scored, peer=peers.MSELoss, theirs={"activation_fn": nn.Sigmoid()}
    ),
    "mean squared error of logits": Case(
        name="mse", data=scored, peer=peers.MSELoss, options={"through_sigmoid": False}
    ),
    "ranking among given negatives": Case(name="mnr", data=triplets, peer=GivenNegatives),
    "ranking among all answers of a batch": Case(
        name="mnr",
        data=pairs,
        peer=peers.MultipleNegativesRankingLoss,
        options={"negatives": BATCH - 1},
        theirs={"num_negatives": None},
    ),
    "lambda": Case(name="lambda", data=several, peer=peers.LambdaLoss, still=RAISES_ALL),
    "lambda by nDCG@2": Case(
        name="lambda",
        data=several,
        peer=peers.LambdaLoss,
        options={"k": 2},
        theirs={"k": 2},
        still=RAISES_ALL,
    ),
    "list-net": Case(name="list-net", data=several, peer=peers.ListNetLoss, still=RAISES_ALL),
}


@pytest.fixture
def start(tiny_folder: Path, tmp_path: Path) -> Callable[[int], Path]:
    """A folder that both sides load, of a cross-encoder with so many classes."""

    def start(classes: int) -> Path:
        cross = from_encoder(load(tiny_folder, device="cpu"), classes=classes, seed=2)
        return grown(cross).save(tmp_path / "start")

    return start


def their_inputs(case: Case, data: Dataset, rows: list[int]) -> tuple[list[Any], Any]:
    """Columns of texts, and labels, as the peer's trainer hands them to a loss."""
    first, *others = data.text_roles()
    anchors = [data.texts(first)[i] for i in rows]
    lists = {role: data.text_lists(role) for role in others}
    if CROSS_LOSSES[case.name].graded:
        texts = [[*lists["positive"][i], *lists["negative"][i]] for i in rows]
        grades = [
            torch.tensor([1.0] * len(lists["positive"][i]) + [0.0] * len(lists["negative"][i]))
            for i in rows
        ]
        return [anchors, texts], grades
    columns = [[lists[role][i][0] for i in rows] for role in others]
    if case.name == "mnr":
        return [anchors, *columns], None
    values = data.labels(case.target)
    return [anchors, *columns], torch.tensor([values[i] for i in rows])


def their_steps(case: Case, loss: nn.Module) -> list[float]:
    data = case.data()

    def values() -> Iterator[Callable[[], Tensor]]:
        for rows in batches(data):
            columns, labels = their_inputs(case, data, rows)
            yield lambda columns=columns, labels=labels: loss(columns, labels)

    return drive(loss, values())


@pytest.mark.parametrize("name", CASES)
def test_twenty_steps_beside_the_peer(
    name: str,
    start: Callable[[int], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    case = CASES[name]
    folder = start(case.classes)
    with quiet():
        model = PeerCrossEncoder(str(folder), device="cpu", local_files_only=True)
        loss = case.peer(without_dropout(model), **case.theirs)
        expected = their_steps(case, loss)
    ours: CrossEncoder = load_cross_encoder(folder, device="cpu")
    objective = cross_objective(CROSS_LOSSES[case.name], **case.options)
    log = train_ours(ours, case.data(), objective, tmp_path / "checkpoints")
    assert_same_losses([step.loss for step in log.steps], expected)
    with quiet():
        model.save_pretrained(str(tmp_path / "peer"))
    theirs = load_cross_encoder(tmp_path / "peer", device="cpu")
    assert_same_weights(ours.module, theirs.module, but=case.still)


def test_every_loss_is_held_to_the_peer():
    assert {case.name for case in CASES.values()} == set(CROSS_LOSSES)
