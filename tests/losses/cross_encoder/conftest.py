"""Random logits for any loss of a cross-encoder, and the peer's losses on given logits."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import torch
from sentence_transformers import CrossEncoder
from torch import Tensor, nn

from likewise.losses.cross_encoder.spec import CrossLossSpec

CLASSES = 3
CANDIDATES = 5


@dataclass(frozen=True)
class CrossCall:
    """The arguments of one call of a loss, drawn from a seed."""

    spec: CrossLossSpec
    logits: Tensor
    rest: tuple[Tensor, ...]

    def loss(self) -> Tensor:
        return self.spec.function(self.logits, *self.rest)

    def map(self, change: Callable[[Tensor], Tensor], *, all_of_it: bool = False) -> "CrossCall":
        """The same call with its logits changed, and with `all_of_it` its targets and mask too."""
        rest = tuple(change(tensor) for tensor in self.rest) if all_of_it else self.rest
        return replace(self, logits=change(self.logits), rest=rest)


@pytest.fixture
def draw_call() -> Callable[..., CrossCall]:
    def draw_call(
        spec: CrossLossSpec, n: int = 6, *, seed: int = 0, width: int | None = None
    ) -> CrossCall:
        draw = torch.Generator().manual_seed(seed)
        if spec.form == "pairs":
            if spec.classes == "one":
                logits, targets = torch.randn(n, generator=draw), torch.rand(n, generator=draw)
            else:
                logits = torch.randn(n, width or CLASSES, generator=draw)
                targets = torch.randint(width or CLASSES, (n,), generator=draw)
            return CrossCall(spec, logits, (targets,))
        logits = torch.randn(n, width or CANDIDATES, generator=draw)
        grades = torch.randint(3, logits.shape, generator=draw)
        grades[:, 0] = 3
        mask = torch.rand(logits.shape, generator=draw) < 0.7
        mask[:, :2] = True  # the positive, and one negative
        return CrossCall(spec, logits, (grades, mask) if spec.graded else (mask,))

    return draw_call


class GivenLogits(CrossEncoder):
    """A cross-encoder of texts that are numbers: it answers table[first, second]."""

    def __init__(self, table: Tensor):
        nn.Module.__init__(self)
        self.table = table

    num_labels = property(lambda self: self.table.shape[-1])
    device = property(lambda self: self.table.device)

    def preprocess(self, inputs, prompt=None, **kwargs):
        return {"numbers": torch.tensor([[int(text) for text in pair] for pair in inputs])}

    def forward(self, features, **kwargs):
        first, second = features["numbers"].T
        return {"scores": self.table[first, second]}


@pytest.fixture
def peer_of_pairs() -> Callable[..., Tensor]:
    """Call a loss of sentence-transformers on the logits [B] or [B, K] of pairs."""

    def peer_of_pairs(loss, logits: Tensor, targets: Tensor, **options) -> Tensor:
        table = logits.reshape(len(logits), 1, -1)
        rows = [str(i) for i in range(len(logits))]
        return loss(GivenLogits(table), **options)([rows, ["0"] * len(rows)], targets)

    return peer_of_pairs


@pytest.fixture
def peer_of_lists() -> Callable[..., Tensor]:
    """Call a loss of sentence-transformers on logits [Q, C], of lists without what is masked."""

    def peer_of_lists(loss, logits: Tensor, grades: Tensor, mask: Tensor, **options) -> Tensor:
        queries = [str(i) for i in range(len(logits))]
        texts = [[str(j) for j in range(len(row)) if row[j]] for row in mask]
        labels = [row[kept] for row, kept in zip(grades, mask, strict=True)]
        return loss(GivenLogits(logits.unsqueeze(-1)), **options)([queries, texts], labels)

    return peer_of_lists


@pytest.fixture
def peer_in_batch() -> Callable[..., Tensor]:
    """Call a ranking loss of sentence-transformers on the logits [B, M B] of anchors and texts.

    Column b of every B is a text of anchor b: its positive first, then its hard negatives.
    """

    def peer_in_batch(loss, logits: Tensor, **options) -> Tensor:
        size = len(logits)
        texts = [str(j) for j in range(logits.shape[1])]
        columns = [texts[start : start + size] for start in range(0, len(texts), size)]
        model = GivenLogits(logits.unsqueeze(-1))
        return loss(model, num_negatives=None, **options)([texts[:size], *columns], None)

    return peer_in_batch
