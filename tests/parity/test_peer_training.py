"""Every loss, step by step beside sentence-transformers 6.2: the same losses, the same weights.

Left out are sigmoid, which the peer has not, and what both draw at random: the peer's layer is
chosen here as ours is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import losses as peers
from torch import Tensor, nn

from likewise.data.dataset import Dataset
from likewise.losses import LOSSES
from likewise.models.build import load
from likewise.models.encoder import Encoder
from likewise.training.objective import Objective, objective_of
from parity.peer_steps import (
    assert_same_losses,
    assert_same_weights,
    batches,
    distilled,
    drive,
    labelled,
    nli,
    pair_labels,
    pairs,
    quiet,
    scored,
    texts,
    train_ours,
    triplets,
    without_dropout,
)

LENGTHS = (32, 16, 8)  # the whole vector, and what is left of it
ALL = ("query_to_doc", "query_to_query", "doc_to_query", "doc_to_doc")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One loss on both sides: ours with its options, the peer's by its class with its own.

    `wrapped` makes of the peer's model and loss another loss; `run` are options of our run;
    `still` are weights whose gradient is zero, but for rounding, which Adam takes for a direction.
    """

    name: str
    data: Callable[[], Dataset]
    peer: type[nn.Module]
    target: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    theirs: dict[str, Any] = field(default_factory=dict)
    wrapped: Callable[[Any, nn.Module], nn.Module] = lambda _, loss: loss
    run: dict[str, Any] = field(default_factory=dict)
    still: tuple[str, ...] = ()


def contrast(
    name: str, peer: type[nn.Module], data: Callable[[], Dataset] = pairs, **fields: Any
) -> Case:
    return Case(name=name, data=data, peer=peer, **fields)


def nested(model: Any, loss: nn.Module) -> nn.Module:
    return peers.MatryoshkaLoss(model, loss, LENGTHS)


def by_layer(model: Any, loss: nn.Module) -> nn.Module:
    return peers.AdaptiveLayerLoss(model, loss)


def in_two_dimensions(model: Any, loss: nn.Module) -> nn.Module:
    return peers.Matryoshka2dLoss(model, loss, LENGTHS, n_dims_per_step=-1)


class Spread(nn.Module):
    """The peer's regularisation beside a loss of it, as its documentation adds them up."""

    def __init__(self, model: Any, loss: nn.Module, weight: float) -> None:
        super().__init__()
        self.loss, self.weight = loss, weight
        self.regularisation = peers.GlobalOrthogonalRegularizationLoss(model)

    def forward(self, features: list[dict[str, Tensor]], labels: Tensor | None) -> Tensor:
        own: Tensor = self.loss([dict(column) for column in features], labels)
        return own + self.weight * sum(self.regularisation(features).values())


MNR, SYMMETRIC = peers.MultipleNegativesRankingLoss, peers.MultipleNegativesSymmetricRankingLoss
BY_LABEL = {
    "batch-all": peers.BatchAllTripletLoss,
    "batch-hard": peers.BatchHardTripletLoss,
    "batch-hard-soft": peers.BatchHardSoftMarginTripletLoss,
    "batch-semi-hard": peers.BatchSemiHardTripletLoss,
}
COSINE = peers.BatchHardTripletLossDistanceFunction.cosine_distance
# it moves all vectors alike, and no distance between them
MOVES_ALL = ("backbone.layers.1.norm.bias",)
CASES = {
    "mnr": contrast("mnr", MNR),
    "mnr with hard negatives": contrast("mnr", MNR, triplets),
    "mnr with a scale": contrast("mnr", MNR, options={"scale": 7.0}, theirs={"scale": 7.0}),
    "mnr in both directions": contrast("mnr", SYMMETRIC, options={"symmetric": True}),
    "mnr in both directions with hard negatives": contrast(
        "mnr", SYMMETRIC, triplets, options={"symmetric": True}
    ),
    "improved contrastive": contrast("improved-contrastive", MNR, theirs={"directions": ALL}),
    # the peer compares positives with the negatives of other rows too: there the two differ
    "improved contrastive with hard negatives": contrast(
        "improved-contrastive",
        MNR,
        triplets,
        options={"same_side": False},
        theirs={"directions": ("query_to_doc", "doc_to_query")},
    ),
    "gist": contrast("gist", peers.GISTEmbedLoss),
    "gist with hard negatives and a margin": contrast(
        "gist",
        peers.GISTEmbedLoss,
        triplets,
        options={"margin": 0.002, "margin_strategy": "relative"},
        theirs={"margin": 0.002, "margin_strategy": "relative"},
    ),
    # the peer takes no negatives here
    "mega-batch margin": contrast("mega-batch-margin", peers.MegaBatchMarginLoss),
    "triplet": contrast("triplet", peers.TripletLoss, triplets, still=MOVES_ALL),
    "triplet by cosine": contrast(
        "triplet",
        peers.TripletLoss,
        triplets,
        options={"distance": "cosine", "margin": 0.5},
        theirs={"distance_metric": peers.TripletDistanceMetric.COSINE, "triplet_margin": 0.5},
    ),
    "cosine": Case(name="cosine", data=scored, peer=peers.CosineSimilarityLoss, target="score"),
    "cosent": Case(name="cosent", data=scored, peer=peers.CoSENTLoss, target="score"),
    "angle": Case(name="angle", data=scored, peer=peers.AnglELoss, target="score"),
    "contrastive": Case(
        name="contrastive", data=pair_labels, peer=peers.ContrastiveLoss, target="label"
    ),
    "online contrastive": Case(
        name="online-contrastive",
        data=pair_labels,
        peer=peers.OnlineContrastiveLoss,
        target="label",
    ),
    "softmax": Case(name="softmax", data=nli, peer=peers.SoftmaxLoss, target="label"),
    "softmax with the product": Case(
        name="softmax",
        data=nli,
        peer=peers.SoftmaxLoss,
        target="label",
        theirs={"concatenation_sent_multiplication": True},
    ),
    **{
        name: Case(name=name, data=labelled, peer=peer, target="label", still=MOVES_ALL)
        for name, peer in BY_LABEL.items()
    },
    **{
        f"{name} by cosine": Case(
            name=name,
            data=labelled,
            peer=peer,
            target="label",
            options={
                "distance": "cosine",
                **({} if name == "batch-hard-soft" else {"margin": 0.2}),
            },
            theirs={
                "distance_metric": COSINE,
                **({} if name == "batch-hard-soft" else {"margin": 0.2}),
            },
        )
        for name, peer in BY_LABEL.items()
    },
    "margin-mse": Case(
        name="margin-mse", data=distilled, peer=peers.MarginMSELoss, target="scores"
    ),
    "kl": Case(
        name="kl",
        data=distilled,
        peer=peers.DistillKLDivLoss,
        target="scores",
        options={"temperature": 2.0, "teacher_temperature": 0.5},
        theirs={"temperature": 2.0, "teacher_temperature": 0.5},
    ),
    "mse": Case(name="mse", data=texts, peer=peers.MSELoss),
    "matryoshka": contrast("mnr", MNR, triplets, wrapped=nested, run={"matryoshka": LENGTHS}),
    "matryoshka of scores": Case(
        name="cosent",
        data=scored,
        peer=peers.CoSENTLoss,
        target="score",
        wrapped=nested,
        run={"matryoshka": LENGTHS},
    ),
    "adaptive layers": contrast("mnr", MNR, wrapped=by_layer, run={"adaptive_layers": 1}),
    "adaptive layers of matryoshka": contrast(
        "mnr", MNR, wrapped=in_two_dimensions, run={"adaptive_layers": 1, "matryoshka": LENGTHS}
    ),
    "orthogonality": contrast(
        "mnr",
        MNR,
        triplets,
        wrapped=lambda model, loss: Spread(model, loss, 0.5),
        run={"orthogonality": 0.5},
    ),
}


def open_peer(folder: Path) -> Any:
    return without_dropout(SentenceTransformer(str(folder), device="cpu", local_files_only=True))


@pytest.fixture
def guide_folder(tiny_folder: Path, tmp_path: Path) -> Path:
    """Another model of the same form."""
    encoder, draw = load(tiny_folder, device="cpu"), torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in encoder.module.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=draw))
    return encoder.save(tmp_path / "guide")


def our_objective(case: Case, encoder: Encoder, guide: Path) -> Objective:
    spec = LOSSES[case.name]
    parts: dict[str, Any] = {}
    if spec.guided:
        parts["guide"] = load(guide, device="cpu")
    if spec.head is not None:
        product = {"product": True} if "concatenation_sent_multiplication" in case.theirs else {}
        with torch.random.fork_rng():
            torch.manual_seed(4)
            parts["head"] = spec.head(encoder.dimensions, 3, **product)
    return objective_of(spec, **parts, **case.options)


def their_loss(case: Case, model: Any, objective: Objective, guide: Path) -> nn.Module:
    """The peer's loss, with the weights of our head."""
    given: dict[str, Any] = dict(case.theirs)
    if case.name == "softmax":
        given |= {"embedding_dimension": LENGTHS[0], "num_labels": 3}
    if case.name == "gist":
        given["guide"] = open_peer(guide)
    loss: nn.Module = case.peer(model, **given)
    if objective.head is not None:
        ours = objective.head.parameters()
        with torch.no_grad():
            for theirs, mine in zip(loss.classifier.parameters(), ours, strict=True):
                theirs.copy_(mine)
    return case.wrapped(model, loss)


def their_columns(data: Dataset) -> list[list[str]]:
    """One list of texts a column, as the peer has several negatives."""
    columns = []
    for role in data.text_roles():
        columns += [list(column) for column in zip(*data.text_lists(role), strict=True)]
    return columns


def their_targets(case: Case, data: Dataset, guide: Path) -> Tensor | None:
    """[n] or [n, C]."""
    if case.name == "mse":  # the teacher's vectors are labels there
        return torch.from_numpy(open_peer(guide).encode(data.texts("text")))
    if case.target is None:
        return None
    if case.target == "scores":
        return torch.from_numpy(data.score_lists()).float()
    values = data.labels(case.target)
    codes = torch.from_numpy(np.unique(values, return_inverse=True)[1])
    return torch.tensor(values) if isinstance(values[0], float | int) else codes


def their_steps(case: Case, model: Any, loss: nn.Module, guide: Path) -> list[float]:
    data = case.data()
    columns, targets = their_columns(data), their_targets(case, data, guide)

    def values() -> Iterator[Callable[[], Tensor]]:
        for rows in batches(data, grouped=LOSSES[case.name].grouped):
            features = [model.preprocess([column[i] for i in rows]) for column in columns]
            labels = None if targets is None else targets[rows]
            yield lambda features=features, labels=labels: loss(features, labels)

    return drive(loss, values())


@pytest.mark.parametrize("name", CASES)
def test_twenty_steps_beside_the_peer(
    name: str,
    tiny_folder: Path,
    guide_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    # the peer counts the word embeddings as layer 0; of two layers there is one to draw
    monkeypatch.setattr("random.sample", lambda layers, count: [1])
    case = CASES[name]
    data, encoder = case.data(), load(tiny_folder, device="cpu")
    objective = our_objective(case, encoder, guide_folder)
    with quiet():
        model = open_peer(tiny_folder)
        loss = their_loss(case, model, objective, guide_folder)
        expected = their_steps(case, model, loss, guide_folder)
    log = train_ours(encoder, data, objective, tmp_path / "checkpoints", **case.run)
    assert [step.masked for step in log.steps] == [0] * len(expected)
    assert_same_losses([step.loss for step in log.steps], expected)
    with quiet():
        model.save(str(tmp_path / "peer"), create_model_card=False)
    assert_same_weights(
        encoder.module, load(tmp_path / "peer", device="cpu").module, but=case.still
    )
    if objective.head is not None:
        heads = [module for module in loss.modules() if isinstance(module, nn.Linear)]
        theirs = next(head for head in heads if head.out_features == 3)
        for mine, other in zip(objective.head.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(mine, other, atol=1e-4, rtol=0)


def test_every_loss_is_held_to_the_peer():
    """A new loss gets its case, or a reason why it has none."""
    without_peer = {"sigmoid"}
    assert {case.name for case in CASES.values()} == set(LOSSES) - without_peer
