"""Random inputs for any loss, and the peer's losses on given embeddings."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from likewise.losses.spec import LossSpec

WIDTH = 6
CLASSES = 3
CANDIDATES = 3  # of each anchor, where a teacher scored them
MORE = 2  # negatives beyond the number of pairs


@dataclass(frozen=True, kw_only=True)
class Call:
    """The arguments of one call of a loss, drawn from a seed.

    `columns` holds one a role, `guides` one a text role.
    """

    spec: LossSpec
    columns: dict[str, Tensor | None]
    collides: Tensor | None = None
    guides: dict[str, Tensor | None]
    head: nn.Module | None = None

    def loss(self, **options: Any) -> Tensor:
        masks = [self.collides] if self.spec.layout == "contrast" else []
        own = {} if self.head is None else {"head": self.head}
        data = [*self.columns.values(), *masks, *self.guides.values()]
        return self.spec.function(*data, **own, **options)

    def embeddings(self) -> list[Tensor]:
        given = (self.columns[role] for role in self.spec.text_roles)
        return [tensor for tensor in given if tensor is not None]

    def with_embeddings(self, embeddings: Sequence[Tensor]) -> "Call":
        """The same call on other embeddings, as many and in the same order."""
        rest = iter(embeddings)
        changed = {
            role: next(rest) if role in self.spec.text_roles and tensor is not None else tensor
            for role, tensor in self.columns.items()
        }
        return replace(self, columns=changed)

    def map(self, change: Callable[[Tensor], Tensor]) -> "Call":
        return self.with_embeddings([change(tensor) for tensor in self.embeddings()])

    def with_columns(self, **columns: Tensor | None) -> "Call":
        return replace(self, columns=self.columns | columns)

    def tensors(self) -> Iterator[Tensor]:
        """Every tensor that the loss is given."""
        given = (*self.columns.values(), self.collides, *self.guides.values())
        return (tensor for tensor in given if tensor is not None)

    def flat(self) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """All its embeddings as one table [S, D], and the loss as a function of it alone."""
        parts = self.embeddings()
        sizes = [part.shape[:-1].numel() for part in parts]

        def loss(table: Tensor) -> Tensor:
            rows = table.split(sizes)
            return self.with_embeddings(
                [row.reshape(part.shape) for row, part in zip(rows, parts, strict=True)]
            ).loss()

        return torch.cat([part.reshape(-1, part.shape[-1]) for part in parts]), loss

    def shuffled(self, seed: int) -> "Call":
        """The same rows in another order, and the negatives of a contrast in one of their own."""
        draw = torch.Generator().manual_seed(seed)
        orders = {
            role: torch.randperm(len(tensor), generator=draw)
            for role, tensor in self.columns.items()
            if tensor is not None
        }
        rows = next(iter(orders.values()))
        negatives = orders.get("negative") if self.spec.layout == "contrast" else None
        orders = dict.fromkeys(orders, rows) | (
            {} if negatives is None else {"negative": negatives}
        )
        collides = self.collides
        if collides is not None:
            candidates = torch.cat([rows, *([] if negatives is None else [len(rows) + negatives])])
            collides = collides[rows][:, candidates]

        def reorder(given: dict[str, Tensor | None]) -> dict[str, Tensor | None]:
            return {r: None if t is None else t[orders[r]] for r, t in given.items()}

        columns, guides = reorder(self.columns), reorder(self.guides)
        return replace(self, columns=columns, collides=collides, guides=guides)


def draw_labels(spec: LossSpec, n: int, classes: int, draw: torch.Generator) -> Tensor:
    """Labels that the loss takes: two rows a label and perhaps one alone, or 0 and 1, or any."""
    if spec.grouped:
        return torch.arange(n) // 2
    if "pair-labels" in spec.kinds:
        return torch.arange(n) % 2
    return torch.randint(classes, (n,), generator=draw)


def draw_columns(
    spec: LossSpec, n: int, classes: int, draw: torch.Generator
) -> dict[str, Tensor | None]:
    shapes = dict.fromkeys(spec.text_roles, (n, WIDTH))
    if spec.layout == "candidates":
        shapes["candidates"] = (n, CANDIDATES, WIDTH)
    if spec.layout == "contrast":
        shapes["negative"] = (n + MORE, WIDTH)
    others = {
        "score": lambda: torch.rand(n, generator=draw),
        "scores": lambda: torch.rand(n, CANDIDATES, generator=draw),
        "label": lambda: draw_labels(spec, n, classes, draw),
    }
    return {
        role: torch.randn(shapes[role], generator=draw) if role in shapes else others[role]()
        for role in spec.roles
    }


@pytest.fixture
def draw_call() -> Callable[..., Call]:
    def draw_call(spec: LossSpec, n: int = 5, *, seed: int = 0, classes: int = CLASSES) -> Call:
        draw = torch.Generator().manual_seed(seed)
        columns = draw_columns(spec, n, classes, draw)
        guides, collides, head = {}, None, None
        if spec.guided:
            guides = {r: torch.randn(columns[r].shape, generator=draw) for r in spec.text_roles}
        if spec.layout == "contrast":
            collides = torch.rand(n, 2 * n + MORE, generator=draw) < 0.2
            collides.fill_diagonal_(False)
        if spec.head is not None:
            with torch.random.fork_rng():
                torch.manual_seed(seed)
                head = spec.head(WIDTH, classes)
        return Call(spec=spec, columns=columns, collides=collides, guides=guides, head=head)

    return draw_call


@pytest.fixture
def draw_embeddings() -> Callable[..., list[Tensor]]:
    """Random embeddings of those shapes, that want gradients."""

    def draw_embeddings(*shapes: int | tuple[int, ...], seed: int = 0) -> list[Tensor]:
        draw = torch.Generator().manual_seed(seed)
        full = [shape if isinstance(shape, tuple) else (shape, WIDTH) for shape in shapes]
        return [torch.randn(shape, generator=draw, requires_grad=True) for shape in full]

    return draw_embeddings


@pytest.fixture
def assert_same() -> Callable[[Tensor, Tensor, list[Tensor]], None]:
    """Two losses have the same value and the same gradients in those tensors."""

    def assert_same(ours: Tensor, theirs: Tensor, tensors: list[Tensor]) -> None:
        torch.testing.assert_close(ours, theirs)
        grads = [
            torch.autograd.grad(loss, tensors, allow_unused=True, materialize_grads=True)
            for loss in (ours, theirs)
        ]
        torch.testing.assert_close(*grads)

    return assert_same


class GivenEmbeddings(nn.Module):
    """The face of a model that the peer's losses call: answers the embeddings it is handed."""

    device = torch.device("cpu")

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"sentence_embedding": features["given"]}

    def get_embedding_dimension(self) -> int:
        return WIDTH


@pytest.fixture
def peer_loss() -> Callable[..., Tensor]:
    """Call a loss of sentence-transformers on embeddings instead of texts."""

    def peer_loss(loss: nn.Module, embeddings: list[Tensor], labels: Tensor | None) -> Tensor:
        return loss([{"given": tensor} for tensor in embeddings], labels)

    return peer_loss


@pytest.fixture
def embeddings_only() -> GivenEmbeddings:
    return GivenEmbeddings()
