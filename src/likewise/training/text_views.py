"""Two views of each text, and the other texts of the batch as negatives."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from likewise.data.dataset import Dataset
from likewise.models.encoder import Encoder
from likewise.text.packed import Packed, pack, shortest_first
from likewise.text.transfer import send
from likewise.training.batch import Batch, Indices
from likewise.training.crops import Shares, crop
from likewise.training.examples import prompt_of
from likewise.training.feed import Feed, FeedOf
from likewise.training.options import TrainingOptions
from likewise.training.seeding import generator
from likewise.training.text_rows import ROLE, TextRows, text_feed

SAMPLE = 1000  # texts from which the tokens of a step are foretold


def twice_feed() -> FeedOf:
    """Feed each text twice: an encoder with dropout draws a mask of its own for each."""

    def feed(encoder: Encoder, data: Dataset, options: TrainingOptions) -> Feed:
        def collate(rows: TextRows, chosen: Indices, step: int) -> Batch:
            ids = [rows.ids(row) for row in chosen]
            return _batch(
                [*ids, *ids],
                chosen,
                data,
                prompt_tokens=rows.prompt_tokens,
                device=encoder.device,
                step=step,
            )

        return text_feed(collate, copies=2.0)(encoder, data, options)

    return feed


def crop_feed(shares: Shares) -> FeedOf:
    """Feed two crops of each text, other ones each time (Izacard et al. 2022, section 3.2).

    Args:
        shares: how much of a text a crop keeps.
    """

    def feed(encoder: Encoder, data: Dataset, options: TrainingOptions) -> Feed:
        prompt = prompt_of(encoder, ROLE, data.kind)
        limit = min(options.max_tokens or encoder.max_tokens, encoder.max_tokens)
        texts = Column(data)

        def collate(chosen: Indices, step: int) -> Batch:
            draw = generator(options.seed, "crops", step)
            whole = [texts[row] for row in chosen]
            views = [crop(text, draw, shares, most=limit) for _ in range(2) for text in whole]
            found = encoder.tokenizer.tokenize(views, prompt=prompt, max_tokens=limit)
            hidden = 0 if encoder.contents.pooling.include_prompt else found.prompt_tokens
            return _batch(
                found.ids, chosen, data, prompt_tokens=hidden, device=encoder.device, step=step
            )

        some = [texts[row] for row in range(0, len(data), -(-len(data) // SAMPLE))]
        whole = encoder.tokenizer.tokenize(some, prompt=prompt, max_tokens=limit).lengths
        return Feed(
            rows=len(data),
            texts=len(data),
            row_tokens=float(whole.mean()) * (shares.least + shares.most),
            collate=collate,
            where=data.where,
            cut={},
        )

    return feed


class Column:
    """The texts of a data set one by one, each in a time that does not grow with their number."""

    def __init__(self, data: Dataset) -> None:
        """Find where the pieces of the column begin."""
        self._pieces = [piece for piece in data.table[ROLE].chunks if len(piece)]
        self._ends = np.cumsum([len(piece) for piece in self._pieces])

    def __getitem__(self, row: int) -> str:
        piece = int(np.searchsorted(self._ends, row, side="right"))
        start = int(self._ends[piece]) - len(self._pieces[piece])
        text: str = self._pieces[piece][int(row) - start].as_py()
        return text


def pack_texts(
    ids: Sequence[NDArray[np.int32]], *, prompt_tokens: int, towers: Tensor | None = None
) -> Packed:
    """Join texts to a stream in the order given.

    Args:
        ids: the token ids of S texts.
        prompt_tokens: leading tokens of each that pooling leaves out.
        towers: [S] which model embeds each; None for one.
    """
    packed = pack(ids)
    pooled = packed.positions() >= prompt_tokens if prompt_tokens else None
    return Packed(ids=packed.ids, starts=packed.starts, pooled=pooled, towers=towers)


def near_duplicates(data: Dataset, chosen: Indices) -> NDArray[np.bool_]:
    """Which texts of a batch are no negatives of one another, as they are nearly the same.

    Args:
        data: of kind "texts"; its keys are computed once.
        chosen: [B] rows.

    Returns:
        [B, B], False on the diagonal.
    """
    keys = data.keys[ROLE].keys[chosen]
    same: NDArray[np.bool_] = keys[:, None] == keys[None, :]
    np.fill_diagonal(same, False)
    return same


def _batch(
    ids: Sequence[NDArray[np.int32]],
    rows: Indices,
    data: Dataset,
    *,
    prompt_tokens: int,
    device: torch.device,
    step: int,
) -> Batch:
    """The first views [B] of the rows and then the second ones, as anchors and positives."""
    order, place = shortest_first([len(text) for text in ids])
    places = send(torch.from_numpy(place), device)
    collides = near_duplicates(data, rows)
    return Batch(
        packed=pack_texts([ids[view] for view in order], prompt_tokens=prompt_tokens).to(device),
        rows=rows,
        texts=np.concatenate([rows, rows])[order],
        picks={"anchor": places[: len(rows)], "positive": places[len(rows) :]},
        values={},
        collides=send(torch.from_numpy(collides), device),
        masked=int(collides.sum()),
        step=step,
    )
