"""Two encoders that begin as one: the second is further weights of the objective."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from likewise.data.dataset import Dataset
from likewise.models.encoder import Encoder
from likewise.text.packed import Packed, shortest_first
from likewise.training.batch import Batch, Indices
from likewise.training.feed import Feed, FeedOf
from likewise.training.options import TrainingOptions
from likewise.training.seeding import generator
from likewise.training.text_rows import ROLE, TextRows, text_feed
from likewise.training.text_views import near_duplicates, pack_texts
from likewise.training.trainable import Embeds

FIRST, SECOND = 0, 1  # the encoder that is kept, and the one beside it


class SecondEncoder(nn.Module):
    """The one copy of an encoder's weights, and a scale where the loss learns one.

    Attributes:
        log_scale: [] natural logarithm of the scale; only where one was given.
    """

    log_scale: Tensor

    def __init__(self, encoder: Encoder, *, log_scale: float | None = None) -> None:
        """Copy the weights as they are now.

        Args:
            encoder: which is left as it is.
            log_scale: natural logarithm of the scale at the start; None for no scale.
        """
        super().__init__()
        self.module = copy.deepcopy(encoder.module)
        if log_scale is not None:
            self.log_scale = nn.Parameter(torch.tensor(log_scale))

    def as_encoder(self, like: Encoder) -> Encoder:
        """These very weights, not another copy, as an encoder with the parts of another."""
        backbone: Any = self.module["backbone"]
        tail: Any = self.module["tail"]
        return Encoder(
            contents=like.contents, backbone=backbone, tail=tail, tokenizer=like.tokenizer
        )


def embed_towers(second: SecondEncoder) -> Callable[[Encoder], Embeds]:
    """Have each text of a stream embedded by the encoder that `Packed.towers` names.

    Args:
        second: beside the encoder that is trained; texts of tower 0 come first in a stream.
    """

    def of(encoder: Encoder) -> Embeds:
        towers = (encoder, second.as_encoder(encoder))

        def embed(packed: Packed, *, dtype: torch.dtype) -> Tensor:
            if packed.towers is None or bool((packed.towers.diff() < 0).any()):
                raise ValueError("a stream for two encoders has the texts of the first in front")
            border = int((packed.towers == FIRST).sum())
            bounds = ((0, border), (border, len(packed)))
            return torch.cat(
                [
                    tower.embed(packed.slice(start, end), dtype=dtype)
                    for tower, (start, end) in zip(towers, bounds, strict=True)
                    if start < end
                ]
            )

        return embed

    return of


def both_feed() -> FeedOf:
    """Feed every text of a batch to both encoders; near-duplicates are no negatives."""

    def feed(encoder: Encoder, data: Dataset, options: TrainingOptions) -> Feed:
        def collate(rows: TextRows, chosen: Indices, step: int) -> Batch:
            packed, texts, picks = _pack_pairs(rows, chosen, chosen, encoder.device)
            collides = near_duplicates(data, chosen)
            return Batch(
                packed=packed,
                rows=chosen,
                texts=texts,
                picks=picks,
                values={},
                collides=torch.from_numpy(collides).to(encoder.device),
                masked=int(collides.sum()),
                step=step,
            )

        return text_feed(collate, copies=2.0)(encoder, data, options)

    return feed


def tension_feed(negatives: int) -> FeedOf:
    """Feed pairs: of every K + 1, one of a text with itself and K with another text.

    A row is the text of a pair that the second encoder embeds, as in the data loader of
    sentence-transformers: each pair of a batch has another one. The first encoder embeds the same
    text, or one drawn from all those that are no near-duplicate of it. The last texts that make no
    whole K + 1 are only drawn.

    Args:
        negatives: K; the batch size and the number of texts are no smaller than K + 1.
    """

    def feed(encoder: Encoder, data: Dataset, options: TrainingOptions) -> Feed:
        others = Others(data)

        def collate(rows: TextRows, chosen: Indices, step: int) -> Batch:
            labels = np.arange(len(chosen)) % (negatives + 1) == 0
            drawn = others.draw(chosen, generator(options.seed, "tension", step))
            kept = np.where(labels, chosen, drawn)
            packed, texts, picks = _pack_pairs(rows, kept, chosen, encoder.device)
            values = {"label": torch.from_numpy(labels.astype(np.int64)).to(encoder.device)}
            return Batch(
                packed=packed, rows=chosen, texts=texts, picks=picks, values=values, step=step
            )

        whole = text_feed(collate, copies=2.0)(encoder, data, options)
        return replace(whole, rows=whole.rows - whole.rows % (negatives + 1))

    return feed


class Others:
    """Other texts than given ones, from a corpus of any size."""

    def __init__(self, data: Dataset) -> None:
        """Find one text of each near-duplicate cluster.

        Args:
            data: of kind "texts".

        Raises:
            ValueError: there is one cluster alone.
        """
        self._keys = data.keys[ROLE].keys
        self._one_each = np.sort(np.unique(self._keys, return_index=True)[1])
        if len(self._one_each) < 2:
            raise ValueError("all texts are near-duplicates of one another")

    def draw(self, chosen: Indices, draw: np.random.Generator) -> Indices:
        """For each of [m] rows another one, that is no near-duplicate of it: [m] rows.

        Args:
            chosen: [m] rows.
            draw: where the others come from; every cluster has the same chance.
        """
        others: Indices = draw.choice(self._one_each, len(chosen))
        while (same := self._keys[others] == self._keys[chosen]).any():
            others[same] = draw.choice(self._one_each, int(same.sum()))
        return others


def _pack_pairs(
    rows: TextRows, first: Indices, second: Indices, device: torch.device
) -> tuple[Packed, Indices, dict[str, Tensor]]:
    """Pairs of texts as one stream, each distinct text once in each of the two towers.

    Returns:
        The stream; [S] the texts in it; role to [m] places, "first" by the first encoder.
    """
    sides = [_distinct(rows, side) for side in (first, second)]
    sizes = [len(texts) for texts, _ in sides]
    texts = np.concatenate([own for own, _ in sides])
    packed = pack_texts(
        [rows.ids(text) for text in texts],
        prompt_tokens=rows.prompt_tokens,
        towers=torch.tensor([FIRST, SECOND]).repeat_interleave(torch.tensor(sizes)),
    )
    places = {"first": sides[0][1], "second": sides[1][1] + sizes[0]}
    picks = {role: torch.from_numpy(place).to(device) for role, place in places.items()}
    return packed.to(device), texts, picks


def _distinct(rows: TextRows, chosen: Indices) -> tuple[Indices, Indices]:
    """The distinct texts, shortest first, and [m] the place of each among them."""
    texts, inverse = np.unique(chosen, return_inverse=True)
    order, place = shortest_first(rows.lengths(texts))
    return texts[order], place[inverse]
