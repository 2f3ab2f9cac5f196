"""What goes around any loss: fewer dimensions, fewer layers, vectors spread over the sphere."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from likewise.errors import InputError
from likewise.losses.adaptive_layers import adaptive_layers
from likewise.losses.orthogonality import orthogonality
from likewise.losses.truncation import matryoshka
from likewise.models.cross_encoder import CrossEncoder
from likewise.models.encoder import Encoder
from likewise.text.packed import pack
from likewise.training.batch import Batch
from likewise.training.objective import Objective
from likewise.training.options import TrainingOptions
from likewise.training.seeding import generator
from likewise.training.trainable import Embeds, Trainable


def wrap(objective: Objective, options: TrainingOptions, encoder: Trainable) -> Objective:
    """Put around a loss what the options ask for: each works with every loss.

    Args:
        objective: of the method.
        options: `matryoshka`, `adaptive_layers` and `orthogonality`.
        encoder: to be trained; its width bounds the dimensions.

    Raises:
        InputError: more dimensions than a vector has, a model without layers of ours, or a loss
            that is none of vectors alone.
    """
    asked = _asked(options)
    if not asked:
        return objective
    refuse_wrapping(options, encoder)
    if isinstance(encoder, CrossEncoder):
        raise TypeError("a cross-encoder was refused")
    if not objective.nests:
        problem = f"{asked[0]} does not go with this method: its loss is not one of vectors alone"
        raise InputError(problem, mend=f"leave out --{asked[0].replace('_', '-')}")
    width = encoder.dimensions
    lengths = tuple(dict.fromkeys((width, *options.matryoshka)))

    def nested(embeddings: Tensor, batch: Batch) -> Tensor:
        if options.matryoshka:
            loss = matryoshka(
                lambda cut: objective.loss(cut, batch), embeddings, dimensions=lengths
            )
        else:
            loss = objective.loss(embeddings, batch)
        if options.orthogonality:
            for kept in lengths:
                loss = loss + options.orthogonality * _spread(embeddings[:, :kept], batch)
        return loss

    def by_layer(embeddings: Tensor, batch: Batch) -> Tensor:
        layers = embeddings.view(len(embeddings), -1, width).transpose(0, 1)  # [L, S, D]
        count = min(options.adaptive_layers, len(layers) - 1)
        draw = generator(options.seed, "layers", batch.step)
        chosen = np.sort(draw.choice(len(layers) - 1, count, replace=False)).tolist()
        return adaptive_layers(lambda layer: nested(layer, batch), layers, layers=chosen)

    if options.adaptive_layers:
        return replace(objective, loss=by_layer, embed=_embed_layers)
    return replace(objective, loss=nested)


def _embed_layers(model: Encoder) -> Embeds:
    return model.embed_layers


def refuse_wrapping(options: TrainingOptions, model: Trainable) -> None:
    """Refuse what cannot go around a loss of this model, before any work.

    Args:
        options: `matryoshka`, `adaptive_layers` and `orthogonality`.
        model: to be trained.

    Raises:
        InputError: more dimensions than a vector has, a model without layers of ours, or a
            cross-encoder, which has no vectors.
    """
    if isinstance(model, CrossEncoder):
        for name in _asked(options):
            problem = f"{name} is about vectors, and a cross-encoder has none"
            raise InputError(problem, mend=f"leave out --{name.replace('_', '-')}")
        return
    if options.matryoshka and max(options.matryoshka) > model.dimensions:
        found = max(options.matryoshka)
        problem = f"a vector of this model has {model.dimensions} dimensions, found {found}"
        raise InputError(problem, mend="choose fewer with --matryoshka")
    if options.adaptive_layers:
        _refuse_no_layers(model)


def _asked(options: TrainingOptions) -> list[str]:
    """The options of this page that are set."""
    return [n for n in ("matryoshka", "adaptive_layers", "orthogonality") if getattr(options, n)]


def _spread(embeddings: Tensor, batch: Batch) -> Tensor:
    """Mean over the roles of how far their texts are from spread out; zero without two texts."""
    used = [embeddings[torch.unique(places)] for places in batch.picks.values()]
    terms = [orthogonality(vectors) for vectors in used if len(vectors) > 1]
    return torch.stack(terms).mean() if terms else embeddings.new_zeros(())


def _refuse_no_layers(encoder: Encoder) -> None:
    """Ask for the layers of one token, so that what has none is told before the first step."""
    probe = pack([[encoder.tokenizer.empty_id]]).to(encoder.device)
    with torch.inference_mode():
        encoder.embed_layers(probe)
