"""Examples of damaged texts, and of texts written back from their vectors, for a person to read."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from likewise.data.dataset import Dataset
from likewise.models.denoising_decoder import DenoisingDecoder
from likewise.models.device import choose_hardware
from likewise.models.folder.tokenizer_files import parse_tokenizer
from likewise.text.packed import shortest_first
from likewise.training.denoising import Damaging
from likewise.training.fit import Fit
from likewise.training.seeding import generator
from likewise.training.text_rows import tokenise_texts
from likewise.training.text_views import pack_texts

EXAMPLES = 3
SHOWN = 100  # characters of a text
WRITTEN = 40  # tokens that are written back at the most


def note_damaged(fit: Fit[Any], texts: Dataset, damage: Damaging) -> None:
    """Say of a few texts what is left of them.

    Args:
        fit: is told.
        texts: of kind "texts".
        damage: what happens to them.
    """
    whole = _examples(fit, texts)
    damaged = damage(whole, generator(fit.options.seed, "examples"))
    for shown in zip(_read(fit, whole, damage), _read(fit, damaged, damage), strict=True):
        fit.note('an example: "{}" is damaged to "{}"'.format(*shown))


def note_rebuilt(
    fit: Fit[Any], texts: Dataset, damage: Damaging, decoder: DenoisingDecoder
) -> None:
    """Say of the same texts what the decoder writes, knowing no more of each than its vector.

    Args:
        fit: whose model was trained; is told.
        texts: of kind "texts".
        damage: what happened to them in training; here they are whole.
        decoder: trained with the model.
    """
    at = fit.progress
    if at is not None and fit.options.keep == "best" and at.best_step not in {None, at.step}:
        fit.note(
            f"the examples join the weights that were kept, of step {at.best_step:,}, with a "
            f"decoder of step {at.step:,}"
        )
    encoder, whole = fit.encoder, _examples(fit, texts)
    dtype = choose_hardware(encoder.device, fit.options.precision).dtype
    bare = encoder.tokenizer.tokenize([""], prompt=damage.prompt).ids[0]
    begin = bare[: max(damage.front, 1)].tolist()
    hidden = 0 if encoder.contents.pooling.include_prompt else damage.front
    order, place = shortest_first([len(ids) for ids in whole])
    with torch.no_grad():
        packed = pack_texts([whole[i] for i in order], prompt_tokens=hidden).to(encoder.device)
        vectors = encoder.embed(packed, dtype=dtype)[place]
    written = decoder.rebuild(
        vectors,
        begin=begin,
        end=int(bare[-1]) if len(bare) > len(begin) else None,
        most=min(len(begin) + WRITTEN, encoder.max_tokens),
        dtype=dtype,
    )
    found = [np.array(ids) for ids in written]
    for shown in zip(_read(fit, whole, damage), _read(fit, found, damage), strict=True):
        fit.note('an example: "{}" is written from its vector as "{}"'.format(*shown))


def _examples(fit: Fit[Any], texts: Dataset) -> list[NDArray[np.int32]]:
    """The token ids of a few texts, the same ones each time."""
    draw = generator(fit.options.seed, "examples")
    rows = np.sort(draw.choice(len(texts), min(EXAMPLES, len(texts)), replace=False))
    found = tokenise_texts(fit.encoder, texts.take(rows), max_tokens=fit.options.max_tokens)
    return [np.array(found.ids(row)) for row in range(len(found))]


def _read(fit: Fit[Any], texts: Sequence[NDArray[Any]], damage: Damaging) -> list[str]:
    """Token ids as text, without prompt and special tokens, but with the mask."""
    rust = parse_tokenizer(fit.encoder.contents.files, where="the model")
    hidden = damage.pieces.special.copy()
    if damage.pieces.mask_id is not None:
        hidden[damage.pieces.mask_id] = False
    bare = [ids[damage.front :] for ids in texts]
    found = [rust.decode(ids[~hidden[ids]].tolist(), skip_special_tokens=False) for ids in bare]
    return [text if len(text) <= SHOWN else f"{text[:SHOWN]}…" for text in found]
