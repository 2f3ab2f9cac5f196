"""Between a folder's contents and a working encoder, both ways."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from likewise.errors import InputError, Where
from likewise.models.architectures import ARCHITECTURES
from likewise.models.architectures.names import from_checkpoint
from likewise.models.device import choose_device
from likewise.models.encoder import Encoder, architecture_of
from likewise.models.folder.contents import ModelFolder
from likewise.models.folder.read import read_folder
from likewise.models.folder.tokenizer_files import parse_tokenizer
from likewise.models.heads import build_tail
from likewise.models.source import resolve_model
from likewise.text.tokenizer import Tokenizer


def load(name: str | Path, *, device: str = "auto") -> Encoder:
    """Load an embedding model.

    Args:
        name: a folder, "minilm", "hub:ORG/NAME", or a bare "ORG/NAME".
        device: "auto" (CUDA, then MPS, then CPU) or a device's name.

    Raises:
        InputError: there is no such model, or its folder is damaged; names the file.
        MissingExtra: the package that brings the model is not installed.
    """
    folder = resolve_model(str(name))
    encoder = from_contents(read_folder(folder), where=str(folder))
    encoder.module.to(choose_device(device))
    return encoder


def from_contents(contents: ModelFolder, *, where: str = "the model") -> Encoder:
    """Build an encoder and fill in its weights.

    Raises:
        InputError: weights are missing or have another shape than the configuration says.
    """
    architecture = architecture_of(contents)
    try:
        backbone = architecture.build(contents.config)
        names = architecture.names(contents.config)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        problem = f"no model can be built from this: {type(error).__name__}: {error}"
        mend = "copy config.json again: a key is missing, or its value is of another kind"
        raise InputError(problem, where=Where(path=f"{where}/config.json"), mend=mend) from error
    ours, unused, missing = from_checkpoint(contents.weights, names)
    place = Where(path=f"{where}/model.safetensors")
    mend = "copy the folder again: the file does not belong to its config.json"
    if missing:
        problem = f"{len(missing)} weights are missing, the first is {missing[0]}"
        raise InputError(problem, where=place, mend=mend)
    expected = backbone.state_dict()
    for key, tensor in ours.items():
        if tensor.shape != expected[key].shape:
            problem = (
                f"{' + '.join(names[key])} has shape {list(tensor.shape)}, "
                f"config.json says {list(expected[key].shape)}"
            )
            raise InputError(problem, where=place, mend=mend)
    backbone.load_state_dict(ours, assign=True)
    tail = build_tail(contents.tail)
    limit = min(
        contents.max_tokens or architecture.most_tokens(contents.config),
        architecture.most_tokens(contents.config),
    )
    tokenizer = Tokenizer(
        parse_tokenizer(contents.files, where=where),
        max_tokens=limit,
        lower_case=contents.lower_case,
        empty_id=int(contents.config.get("pad_token_id") or 0),
    )
    notes = contents.notes
    if architecture is ARCHITECTURES["padded"]:
        family = contents.config.get("model_type")
        notes = (*notes, f'"{family}" has no native encoder here: it runs padded, and slower')
    contents = replace(contents, weights=unused, notes=notes)  # the rest lives in the backbone
    return Encoder(contents=contents, backbone=backbone, tail=tail, tokenizer=tokenizer)


def parameters(encoder: Encoder) -> dict[str, nn.Parameter]:
    """The trainable parameters by name, backbone first."""
    return dict(encoder.module.named_parameters())


def load_weights(encoder: Encoder, folder: Path) -> None:
    """Put the weights of a saved encoder of the same shape into this one, in place."""
    found = from_contents(read_folder(folder), where=str(folder))
    with torch.no_grad():
        own = encoder.module.state_dict()
        for name, tensor in found.module.state_dict().items():
            own[name].copy_(tensor)
