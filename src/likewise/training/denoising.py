"""Damaged texts in a step's stream, and the texts as they were for a decoder to write."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from likewise.data.dataset import Dataset
from likewise.models.encoder import Encoder
from likewise.models.folder.tokenizer_files import parse_tokenizer
from likewise.text.noise import (
    Noise,
    Words,
    find_words,
    frequency_chances,
    word_chances,
)
from likewise.text.packed import shortest_first
from likewise.text.transfer import send
from likewise.text.words import Pieces, read_pieces
from likewise.training.batch import Batch, Indices
from likewise.training.examples import prompt_of
from likewise.training.feed import Feed, FeedOf
from likewise.training.options import TrainingOptions
from likewise.training.seeding import generator
from likewise.training.text_rows import ROLE, TextRows, text_feed, tokenise_texts
from likewise.training.text_views import pack_texts

SAMPLE = 20_000  # texts in which words are counted, evenly over the data


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaging:
    """What happens to the texts of one run.

    Attributes:
        noise: an entry of `NOISES`.
        ratio: share of the words that is damaged.
        pieces: of the model's vocabulary.
        chances: [V] how likely each piece is damaged.
        front: leading tokens of each text that are a prompt, and stay.
    """

    noise: Noise
    ratio: float
    pieces: Pieces
    chances: NDArray[np.float64]
    prompt: str = ""
    front: int = 0

    @property
    def kept(self) -> float:
        """About which share of its tokens a damaged text has."""
        return 1 - self.ratio if self.noise.shortens else 1.0

    def words(self, texts: Sequence[NDArray[np.int32]]) -> Words:
        """The words of some texts, given as token ids with the prompt in front."""
        ids = np.concatenate(texts).astype(np.int64)
        starts = np.concatenate([[0], np.cumsum([len(text) for text in texts])])
        return find_words(ids, starts, self.pieces, front=self.front)

    def count_words(self, texts: Sequence[NDArray[np.int32]]) -> NDArray[np.int64]:
        """[S] words of each of some texts, given as token ids with the prompt in front."""
        return np.bincount(self.words(texts).texts, minlength=len(texts))

    def __call__(
        self, texts: Sequence[NDArray[np.int32]], draw: np.random.Generator
    ) -> list[NDArray[np.int64]]:
        """Token ids of some texts to those of the damaged ones."""
        words = self.words(texts)
        ids, starts = self.noise.damage(words, word_chances(words, self.chances), draw)
        return np.split(ids, starts[1:-1])


def make_damaging(encoder: Encoder, data: Dataset, noise: Noise, ratio: float) -> Damaging:
    """Learn what a noise has to know of the vocabulary and, where it asks for it, of the texts.

    Args:
        encoder: to be trained.
        data: of kind "texts".
        noise: an entry of `NOISES`.
        ratio: share of the words that is damaged.
    """
    pieces = read_pieces(parse_tokenizer(encoder.contents.files, where="the model"))
    prompt = prompt_of(encoder, ROLE, data.kind)
    front = encoder.tokenizer.tokenize([""], prompt=prompt).prompt_tokens
    damage = Damaging(
        noise=noise,
        ratio=ratio,
        pieces=pieces,
        chances=np.full(len(pieces), ratio),
        prompt=prompt,
        front=front,
    )
    if not noise.by_frequency:
        return damage
    sample = tokenise_texts(encoder, data.take(np.arange(0, len(data), -(-len(data) // SAMPLE))))
    words = damage.words([sample.ids(row) for row in range(len(sample))])
    return replace(damage, chances=frequency_chances(words, len(pieces), ratio))


def denoising_feed(damage: Damaging) -> FeedOf:
    """Feed each text damaged, in another way every time, and as the batch's target whole.

    Args:
        damage: what happens to the texts.

    Returns:
        A function that tokenises the data. In its batches `packed` are the damaged texts, `targets`
        the whole ones, shortest first both, and `picks["text"]` [S] tells which of the damaged
        texts each target was; `targets.pooled` hides a prompt, which is given.
    """

    def feed(encoder: Encoder, data: Dataset, options: TrainingOptions) -> Feed:
        def collate(rows: TextRows, chosen: Indices, step: int) -> Batch:
            whole = [rows.ids(row) for row in chosen]
            damaged = damage(whole, generator(options.seed, "noise", step))
            order, place = shortest_first([len(text) for text in damaged])
            last, _ = shortest_first([len(text) for text in whole])
            return Batch(
                packed=pack_texts([damaged[i] for i in order], prompt_tokens=rows.prompt_tokens).to(
                    encoder.device
                ),
                rows=chosen,
                texts=chosen[order],
                picks={"text": send(torch.from_numpy(place[last]), encoder.device)},
                values={},
                step=step,
                targets=pack_texts([whole[i] for i in last], prompt_tokens=damage.front).to(
                    encoder.device
                ),
            )

        return text_feed(collate, copies=1 + damage.kept)(encoder, data, options)

    return feed
