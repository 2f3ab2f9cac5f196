"""A model's masked-language head on disk: found, drawn, saved beside the encoder, or with it."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from safetensors.torch import save_file
from torch import Tensor

from likewise.errors import InputError, Where
from likewise.models.architectures.layers import initialise
from likewise.models.architectures.mlm_heads import MLM_FAMILIES, MlmFamily, MlmHead
from likewise.models.architectures.names import to_checkpoint
from likewise.models.checkpoint_weights import copy_weights, fill_weights
from likewise.models.encoder import Encoder, architecture_of
from likewise.models.folder.contents import ModelFolder
from likewise.models.folder.jsons import COPY_AGAIN
from likewise.models.folder.layouts import read_modules
from likewise.models.folder.replace import replace_folder
from likewise.models.folder.tokenizer_files import FAST, parse_tokenizer
from likewise.models.folder.weights import SINGLE, modern_names, read_weights
from likewise.text.pairs import lower_first

HEAD_FILE = "mlm_head.safetensors"  # in a model's folder, beside weights that know nothing of it
BODY = "body_sha256"
HEAD_STD = 0.02  # of a new head's weights, where the configuration says nothing


def family_of(contents: ModelFolder) -> MlmFamily:
    """How the head of a model's family is called.

    Raises:
        InputError: the family has none here, or cannot have one.
    """
    family = str(contents.config.get("model_type"))
    if family in MLM_FAMILIES:
        return MLM_FAMILIES[family]
    if family == "static":
        problem = "a static model is a table of words: it cannot guess a word from its neighbours"
        mend = "take a transformer as the base, such as minilm or scratch:small"
        raise InputError(problem, mend=mend)
    problem = f'a model of the family "{family}" has no masked-language head here'
    raise InputError(
        problem, mend=f"take a base of one of these families: {', '.join(MLM_FAMILIES)}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundHead:
    """A head with weights, and where they come from.

    Attributes:
        head: on the CPU.
        is_fresh: its weights are drawn.
        body: hash of the encoder's weights that it was saved with; None where that is not known.
    """

    head: MlmHead
    is_fresh: bool = False
    body: str | None = None


def find_head(contents: ModelFolder, *, seed: int) -> FoundHead:
    """The head that a model was trained with, or a new one.

    It is looked for where `--method mlm` saves it, then in the checkpoint itself, where that is
    one of a `…ForMaskedLM`.

    Args:
        contents: of the model.
        seed: of the weights of a new head.

    Raises:
        InputError: the family has no such head; or the head that is there is damaged, or has
            another shape than the configuration says.
    """
    family = family_of(contents)
    head = MlmHead(family, contents.config)
    where = str(contents.folder or "the model")
    saved = _saved_bytes(contents)
    if saved is not None:
        fill_weights(head, _unpack(saved, where), family.names(head), where=where, file=HEAD_FILE)
        return FoundHead(head=head, body=_stated_body(saved))
    weights = {} if contents.folder is None else _with_both_biases(_weights_of(contents), family)
    names = family.names(head)
    if all(part in weights for parts in names.values() for part in parts):
        fill_weights(head, weights, names, where=where)
        return FoundHead(head=head)
    std = float(contents.config.get("initializer_range") or HEAD_STD)
    initialise(head, std=std, generator=torch.Generator().manual_seed(seed))
    return FoundHead(head=head, is_fresh=True)


def with_head(contents: ModelFolder, head: MlmHead, *, body: str = "") -> ModelFolder:
    """The contents of a folder with this head as it is now, in a file of its own.

    Readers of the folder that know nothing of it do not look at it.

    Args:
        contents: of the model.
        head: of its family.
        body: hash of the encoder's weights that belong to it, where it is known.
    """
    tensors = to_checkpoint(head.state_dict(), family_of(contents).names(head))
    packed = save_tensors(
        {name: tensor.cpu() for name, tensor in tensors.items()},
        metadata={"format": "pt", BODY: body},
    )
    return replace(contents, files={**contents.files, HEAD_FILE: packed})


def load_head(head: MlmHead, contents: ModelFolder, folder: Path) -> None:
    """Put the head that stands in a saved folder into this one, in place.

    Args:
        head: of the same shape.
        contents: of its model.
        folder: as `Encoder.save` wrote it, with a head.
    """
    family = family_of(contents)
    found = MlmHead(family, contents.config)
    weights = _unpack((folder / HEAD_FILE).read_bytes(), str(folder))
    fill_weights(found, weights, family.names(found), where=str(folder), file=HEAD_FILE)
    copy_weights(head, found)


def save_masked_lm(encoder: Encoder, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write encoder and head as one checkpoint that transformers' AutoModelForMaskedLM reads.

    Args:
        encoder: trained with `--method mlm`, or loaded from a checkpoint that has a head.
        path: of the folder.
        overwrite: take the place of an older model folder.

    Raises:
        InputError: the model has no head; or something is at `path` already.
    """
    contents = encoder.to_contents()
    family, found = family_of(contents), find_head(contents, seed=0)
    if found.is_fresh:
        problem = "this model has no masked-language head"
        raise InputError(problem, mend="train one first: likewise train texts.txt --method mlm")
    trained = architecture_of(contents).names(contents.config).values()
    body = {f"{family.prefix}{n}": contents.weights[n] for parts in trained for n in parts}
    head = to_checkpoint(found.head.state_dict(), family.names(found.head))
    files = {name: data for name, data in contents.files.items() if name != HEAD_FILE}
    if contents.lower_case:
        files[FAST] = lower_first(parse_tokenizer(files, where="the model")).to_str().encode()
    with replace_folder(Path(path), overwrite=overwrite) as folder:
        for name, data in files.items():
            (folder / name).write_bytes(data)
        config = {**contents.config, "architectures": [family.architecture]}
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        save_file({n: t.cpu() for n, t in (body | head).items()}, folder / SINGLE, {"format": "pt"})
    return Path(path)


def _saved_bytes(contents: ModelFolder) -> bytes | None:
    if HEAD_FILE in contents.files:
        return contents.files[HEAD_FILE]
    path = None if contents.folder is None else contents.folder / HEAD_FILE
    return path.read_bytes() if path is not None and path.is_file() else None


def _unpack(data: bytes, where: str) -> dict[str, Tensor]:
    try:
        return load_tensors(data)
    except (SafetensorError, ValueError, KeyError) as error:
        problem = f"not a whole safetensors file ({len(data):,} bytes): {error}"
        place = Where(path=f"{where}/{HEAD_FILE}")
        raise InputError(problem, mend=COPY_AGAIN, where=place) from error


def _stated_body(data: bytes) -> str | None:
    """What the head of a safetensors file says: 8 bytes of length, then JSON."""
    length = int.from_bytes(data[:8], "little")
    stated = json.loads(data[8 : 8 + length]).get("__metadata__", {}).get(BODY)
    return str(stated) if stated else None


def _weights_of(contents: ModelFolder) -> dict[str, Tensor]:
    """All weights of the checkpoint that a model was read from; none where it is gone."""
    folder = contents.folder
    if folder is None or not folder.is_dir():
        return {}
    modules = folder / "modules.json"
    home = read_modules(modules)[0].folder if modules.exists() else folder
    return modern_names(read_weights(home))


def _with_both_biases(weights: dict[str, Tensor], family: MlmFamily) -> dict[str, Tensor]:
    """Checkpoints have the bias of the last layer under one of its two names, or under both."""
    names = (family.bias, f"{family.decoder}.bias")
    found = next((weights[name] for name in names if name in weights), None)
    return weights if found is None else dict.fromkeys(names, found) | weights
