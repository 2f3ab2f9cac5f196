"""What goes around any loss: fewer dimensions, fewer layers, vectors spread over the sphere."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from likewise.errors import InputError
from likewise.losses.adaptive_layers import adaptive_layers
from likewise.losses.orthogonality import orthogonality
from likewise.losses.truncation import matryoshka
from likewise.models.encoder import Encoder
from likewise.text.packed import pack
from likewise.training.batch import Batch
from likewise.training.objective import Objective
from likewise.training.options import TrainingOptions
from likewise.training.seeding import generator


def wrap(objective: Objective, options: TrainingOptions, encoder: Encoder) -> Objective:
    """Put around a loss what the options ask for: each works with every loss.

    Args:
        objective: of the method.
        options: `matryoshka`, `adaptive_layers` and `orthogonality`.
        encoder: to be trained; its width bounds the dimensions.

    Raises:
        InputError: more dimensions than a vector has, or a model without layers of ours.
    """
    if not (options.matryoshka or options.adaptive_layers or options.orthogonality):
        return objective
    width = encoder.dimensions
    if max(options.matryoshka, default=0) > width:
        problem = f"a vector of this model has {width} dimensions, found {max(options.matryoshka)}"
        raise InputError(problem, mend="choose fewer with --matryoshka")
    if options.adaptive_layers:
        _refuse_no_layers(encoder)
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
        return replace(objective, loss=by_layer, by_layer=True)
    return replace(objective, loss=nested)


def refuse_wrapping(options: TrainingOptions) -> None:
    """Refuse options about vectors where a cross-encoder is trained.

    Raises:
        InputError: one of them is set.
    """
    for name in ("matryoshka", "adaptive_layers", "orthogonality"):
        if getattr(options, name):
            problem = f"{name} is about vectors, and a cross-encoder has none"
            raise InputError(problem, mend=f"leave out --{name.replace('_', '-')}")


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
