"""TSDAE: a text is damaged, and written back from the vector of what is left of it."""

from typing import Annotated, Any, Final

import numpy as np
import torch
from pydantic import AfterValidator, Field
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from likewise.data.dataset import Dataset
from likewise.errors import InputError
from likewise.losses.token_cross_entropy import token_cross_entropy
from likewise.methods.plain_texts import distinct_texts
from likewise.methods.pooling_choice import Choice, choose_pooling
from likewise.methods.written_back import note_damaged, note_rebuilt
from likewise.models.denoising_decoder import DenoisingDecoder, build_decoder
from likewise.models.device import choose_hardware
from likewise.text.noise import NOISES
from likewise.training.batch import Batch
from likewise.training.denoising import Damaging, denoising_feed, make_damaging
from likewise.training.fit import Fit
from likewise.training.grad_cache import split_packed
from likewise.training.objective import Objective
from likewise.training.seeding import child_seed
from likewise.training.text_rows import text_chunks

FEWEST_WORDS: Final = 2  # of one word nothing can be taken away


def _known(noise: str) -> str:
    NOISES.pick(noise, what="noise")
    return noise


def train_tsdae(
    fit: Fit[Any],
    data: Dataset,
    *,
    noise: Annotated[str, AfterValidator(_known)] = "delete",
    ratio: Annotated[float, Field(gt=0, lt=1)] = 0.6,
    pooling: Choice = "cls",
    tie: bool = True,
) -> None:
    """Train on plain texts by taking words away and writing them back (Wang et al. 2021).

    1. Of each text three words in five are deleted, other ones every time. 2. The encoder makes a
    vector of what is left. 3. A decoder writes the whole text from this vector alone: it has the
    encoder's own layers, which read the vector and the words written so far. Of the decoder
    nothing stays in the model.

    Args:
        fit: the encoder, and how to train it.
        data: any texts; of other data the texts of all columns.
        noise: "delete" words; "delete-frequent": the frequent ones more often than the rare;
            "mask": hide them behind the mask token; "swap": exchange neighbours.
        ratio: share of the words that is damaged; the paper's is 0.6, for every base.
        pooling: "cls", the paper's, for a base that was not yet trained to embed; "mean"; or
            "model", which leaves it as it is. The model keeps what is chosen.
        tie: decode with the encoder's own weights, which the paper found best; else with a copy of
            them that is trained beside it.

    Raises:
        InputError: the base has no layers that could decode, or no mask token; all texts are the
            same, or one word.
    """
    decoder = build_decoder(fit.encoder, tie=tie, seed=child_seed(fit.options.seed, "decoder"))
    choose_pooling(fit, pooling)
    texts = distinct_texts(fit, data)
    damage = make_damaging(fit.encoder, texts, NOISES[noise], ratio)
    if noise == "mask" and damage.pieces.mask_id is None:
        problem = "the vocabulary of this model has no token that hides another"
        raise InputError(problem, mend="--set noise=delete")
    texts = _without_single_words(fit, texts, damage)
    note_damaged(fit, texts, damage)
    fit(texts, tsdae_objective(fit, decoder, damage))
    note_rebuilt(fit, texts, damage, decoder)


def tsdae_objective(fit: Fit[Any], decoder: DenoisingDecoder, damage: Damaging) -> Objective:
    """Write the texts of a batch from the vectors of the damaged ones.

    Args:
        fit: of the encoder; its options bound the tokens in memory, of the decoder too.
        decoder: over the encoder.
        damage: what happens to the texts.
    """
    options = fit.options
    dtype = choose_hardware(fit.encoder.device, options.precision).dtype

    def loss(embeddings: Tensor, batch: Batch) -> Tensor:
        if batch.targets is None:
            raise ValueError("there is no text to write")
        parts = split_packed(batch.targets, options.micro_tokens)
        vectors = torch.split(embeddings[batch.picks["text"]], [len(part) for part in parts])
        if len(parts) == 1:
            states, labels = decoder(vectors[0], parts[0], dtype=dtype)
        else:  # each part is read once more on the way back, with the same dropout
            found = [
                checkpoint(decoder, share, part, dtype=dtype, use_reentrant=False)
                for share, part in zip(vectors, parts, strict=True)
            ]
            states, labels = (torch.cat(column) for column in zip(*found, strict=True))
        return token_cross_entropy(states, decoder.table, decoder.head.bias, labels)

    return Objective(loss=loss, feed=denoising_feed(damage), head=decoder, nests=False)


def _without_single_words(fit: Fit[Any], texts: Dataset, damage: Damaging) -> Dataset:
    """The texts of two words or more; the others have nothing that could be taken away.

    Raises:
        InputError: there is none, or one alone.
    """
    tokenize, lonely, first = fit.encoder.tokenizer.tokenize, list[int](), 0
    for some in text_chunks(texts):
        doubtful = [i for i, text in enumerate(some) if len(text.split(None, 1)) < FEWEST_WORDS]
        if doubtful:  # without a space there may be several words: 東京へ行く, or "well-known"
            found = tokenize([some[i] for i in doubtful], prompt=damage.prompt).ids
            counts = damage.count_words(found)
            lonely += [first + doubtful[i] for i in np.flatnonzero(counts < FEWEST_WORDS)]
        first += len(some)
    if len(lonely) > len(texts) - FEWEST_WORDS:
        problem = f"{len(lonely):,} of {len(texts):,} texts are one word: nothing can be taken away"
        raise InputError(problem, mend="give whole sentences", where=texts.file)
    if not lonely:
        return texts
    fit.note(f"texts of one word have nothing that could be taken away, left out: {len(lonely):,}")
    return texts.take(np.delete(np.arange(len(texts)), lonely))
