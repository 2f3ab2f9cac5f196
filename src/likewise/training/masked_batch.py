"""Texts with hidden tokens in a step's stream, and how well a model guesses what stood there."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from likewise.data.dataset import Dataset
from likewise.losses.token_cross_entropy import LEFT_OUT, token_cross_entropy
from likewise.models.architectures.mlm_heads import MlmHead
from likewise.models.encoder import BATCH_TOKENS, Encoder
from likewise.text.batches import batches_by_tokens
from likewise.text.masking import Masked, Vocabulary, count_pieces, mask_tokens
from likewise.text.packed import Packed, filled, pack
from likewise.text.transfer import send
from likewise.training.batch import Batch, Indices
from likewise.training.feed import Feed, FeedOf
from likewise.training.objective import LossOfBatch
from likewise.training.options import TrainingOptions
from likewise.training.seeding import generator
from likewise.training.text_rows import CHUNK, ROLE, TextRows
from likewise.training.trainable import Embeds

TOKENS = "tokens"  # in a batch's values: the [N] ids that stood at the marked places


@dataclass(frozen=True, slots=True, kw_only=True)
class Masking:
    """How the texts of one run are hidden.

    Attributes:
        vocabulary: of the model.
        probability: share of a text's tokens that is to be guessed.
        whole_words: all pieces of a word together.
        front: leading tokens of each text that are a prompt, and stay.
    """

    vocabulary: Vocabulary
    probability: float
    whole_words: bool
    front: int = 0

    def __call__(self, rows: TextRows, chosen: Indices, draw: np.random.Generator) -> Masked:
        """Some of the texts as one stream in the order given, with tokens to guess."""
        return mask_tokens(
            pack([rows.ids(int(row)) for row in chosen]),
            self.vocabulary,
            draw,
            probability=self.probability,
            whole_words=self.whole_words,
            front=self.front,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What n texts have to be hidden.

    Attributes:
        pieces: [n] tokens that could be chosen.
        unknown: tokens, in all, that the vocabulary lacks.
    """

    pieces: NDArray[np.int64]
    unknown: int


def count_rows(rows: TextRows, masking: Masking) -> Counts:
    """Count what could be hidden, a part of the texts in memory at a time."""
    pieces, unknown = np.zeros(len(rows), dtype=np.int64), 0
    vocabulary = masking.vocabulary
    for first in range(0, len(rows), CHUNK):
        starts = rows.starts[first : first + CHUNK + 1]
        tokens = np.asarray(rows.tokens[starts[0] : starts[-1]])
        part = count_pieces(tokens, starts - starts[0], vocabulary, front=masking.front)
        pieces[first : first + CHUNK] = part
        if vocabulary.unknown_id is not None:
            unknown += int((tokens == vocabulary.unknown_id).sum())
    return Counts(pieces=pieces, unknown=unknown)


def masked_feed(rows: TextRows, used: Indices, masking: Masking) -> FeedOf:
    """Feed texts that are tokenised already, with other tokens hidden every time.

    Args:
        rows: the texts.
        used: those of them to train on.
        masking: how they are hidden.

    Returns:
        A feed whose batches mark in `packed.pooled` the N tokens to guess, and have what stood
        there in `values["tokens"]`.
    """

    def feed(encoder: Encoder, _: Dataset, options: TrainingOptions) -> Feed:
        def collate(chosen: NDArray[np.int64], step: int) -> Batch:
            texts = used[chosen]
            texts = texts[np.argsort(rows.lengths(texts), kind="stable")]
            masked = masking(rows, texts, generator(options.seed, "mask", step))
            return Batch(
                packed=masked.packed.to(encoder.device),
                rows=chosen,
                texts=texts,
                picks={},
                values={TOKENS: send(masked.tokens, encoder.device)},
                step=step,
            )

        return Feed(
            rows=len(used),
            texts=len(used),
            row_tokens=float(rows.lengths(used).mean()),
            collate=collate,
            where=lambda row: rows.data.where(int(used[row])),
            cut={ROLE: rows.cut},
        )

    return feed


def embed_marked(encoder: Encoder) -> Embeds:
    """From a stream to the states of its marked tokens alone, [N, H], in their order."""

    def embed(packed: Packed, *, dtype: torch.dtype) -> Tensor:
        if packed.pooled is None:
            raise ValueError("the stream marks no tokens")
        longest = encoder.max_tokens
        stream, filler = filled(packed, encoder.tokenizer.empty_id, longest=longest)
        places = packed.pooled.nonzero().squeeze(1)
        if filler is not None:  # what stands behind the filler has moved
            begin, end = (int(stream.starts[filler + i]) for i in (0, 1))
            places = torch.where(places < begin, places, places + end - begin)
        states: Tensor = encoder.backbone(stream, dtype=dtype)
        return states.index_select(0, places).float()

    return embed


def masked_loss(encoder: Encoder, head: MlmHead, dtype: torch.dtype) -> LossOfBatch:
    """Cross-entropy of what stood at the marked places (Devlin et al. 2019, section 3.1).

    Args:
        encoder: whose token embeddings are what states are compared with.
        head: between the two.
        dtype: of the arithmetic, but for the cross-entropy.
    """

    def loss(embeddings: Tensor, batch: Batch) -> Tensor:
        states, labels = _few_sizes(embeddings, batch.values[TOKENS])
        rows = head.rows(encoder.backbone.get_parameter("tokens"))
        return token_cross_entropy(head(states.to(dtype)), rows, head.bias, labels)

    return loss


def _few_sizes(states: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Round the number of rows up to one of 32 sizes an octave, as `filled` does with a stream."""
    missing = -len(states) % (1 << max(len(states).bit_length() - 6, 2))
    return F.pad(states, (0, 0, 0, missing)), F.pad(labels, (0, missing), value=LEFT_OUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guesses:
    """How well hidden tokens are guessed.

    Attributes:
        tokens: how many were to be guessed.
        right: how many were.
        loss: the mean cross-entropy; NaN of none.
    """

    tokens: int
    right: int
    loss: float

    def __str__(self) -> str:
        return f"{self.right / max(self.tokens, 1):.1%} guessed, loss {self.loss:.3f}"


@torch.no_grad()
def measure_guesses(
    encoder: Encoder,
    head: MlmHead,
    rows: TextRows,
    masking: Masking,
    *,
    seed: int,
    dtype: torch.dtype,
) -> Guesses:
    """Hide tokens of some texts, the same ones for any model, and count what is guessed.

    Args:
        encoder: not in training.
        head: of it.
        rows: the texts.
        masking: how they are hidden.
        seed: of what is hidden.
        dtype: of the arithmetic in the encoder.
    """
    tokens, right, total = 0, 0, 0.0
    for i, batch in enumerate(batches_by_tokens(rows.lengths(np.arange(len(rows))), BATCH_TOKENS)):
        masked = masking(rows, batch[::-1], generator(seed, "held-out", i))
        labels = send(masked.tokens, encoder.device)
        if not len(labels):
            continue
        states = embed_marked(encoder)(masked.packed.to(encoder.device), dtype=dtype)
        logits = head.logits(states, encoder.backbone.get_parameter("tokens"))
        tokens += len(labels)
        right += int((logits.argmax(dim=1) == labels).sum())
        total += float(F.cross_entropy(logits, labels, reduction="sum"))
    return Guesses(tokens=tokens, right=right, loss=total / tokens if tokens else float("nan"))
