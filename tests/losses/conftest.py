"""Random inputs for any loss, and the peer's losses on given embeddings."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor, nn

from likewise.losses.spec import LossSpec

WIDTH = 6
CLASSES = 3
TARGETS: dict[str, Callable[[int, torch.Generator], Tensor]] = {
    "score": lambda n, draw: torch.rand(n, generator=draw),
    "label": lambda n, draw: torch.randint(CLASSES, (n,), generator=draw),
}


@dataclass
class Call:
    """The arguments of one call of a loss, drawn from a seed."""

    spec: LossSpec
    columns: dict[str, Tensor]
    extra: dict[str, nn.Module] = field(default_factory=dict)

    def loss(self) -> Tensor:
        return self.spec.function(*self.columns.values(), **self.extra)

    def embeddings(self) -> list[Tensor]:
        return [self.columns[role] for role in self.spec.text_roles]

    def map(self, change: Callable[[Tensor], Tensor], *, targets: bool = False) -> "Call":
        """The same call with its embeddings changed, and with `targets` its targets too."""
        roles = self.spec.roles if targets else self.spec.text_roles
        changed = {r: change(t) if r in roles else t for r, t in self.columns.items()}
        return Call(self.spec, changed, self.extra)


@pytest.fixture
def draw_call() -> Callable[..., Call]:
    def draw_call(spec: LossSpec, n: int = 5, *, seed: int = 0, classes: int = CLASSES) -> Call:
        draw = torch.Generator().manual_seed(seed)
        columns = {
            role: TARGETS[role](n, draw)
            if role in TARGETS
            else torch.randn(n, WIDTH, generator=draw)
            for role in spec.roles
        }
        if spec.head is None:
            return Call(spec, columns)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return Call(spec, columns, {"head": spec.head(WIDTH, classes)})

    return draw_call


class GivenEmbeddings(nn.Module):
    """The face of a model that the peer's losses call: answers the embeddings it is handed."""

    device = torch.device("cpu")

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"sentence_embedding": features["given"]}


@pytest.fixture
def peer_loss() -> Callable[..., Tensor]:
    """Call a loss of sentence-transformers on embeddings instead of texts."""

    def peer_loss(loss: nn.Module, embeddings: list[Tensor], labels: Tensor | None) -> Tensor:
        return loss([{"given": tensor} for tensor in embeddings], labels)

    return peer_loss


@pytest.fixture
def embeddings_only() -> GivenEmbeddings:
    return GivenEmbeddings()
