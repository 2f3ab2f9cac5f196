"""A second, frozen model embeds the texts of a batch: a teacher, or a judge of negatives."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from likewise.training.batch import Batch
from likewise.training.examples import Examples, Prompted, prompt_of


class Guide(Prompted, Protocol):
    """A frozen model that embeds the texts of a batch."""

    def encode(
        self, texts: Sequence[str], *, prompt: str | None = None, precision: str = "auto"
    ) -> NDArray[np.float32]:
        """[n, D] float32, computed in that precision."""


def embed_guide(
    guide: Guide, batch: Batch, examples: Examples, *, precision: str = "auto"
) -> Batch:
    """The batch with the guide's vectors of every text, with the guide's own prompts.

    They are computed batch by batch, so that no more than one step is ever in memory.

    Args:
        guide: frozen; its tokenizer and its width are its own.
        batch: whose texts are embedded.
        examples: has the texts.
        precision: of the run, so that both models compute alike.
    """
    guides = {}
    for role, places in batch.picks.items():
        used, inverse = torch.unique(places, return_inverse=True)
        texts = examples.texts.take(batch.texts[used.cpu().numpy()]).to_pylist()
        prompt = prompt_of(guide, role, examples.data.kind)
        vectors = torch.from_numpy(guide.encode(texts, prompt=prompt, precision=precision))
        guides[role] = vectors.to(places.device)[inverse]
    return replace(batch, guides=guides)
