"""Weights on disk: safetensors, in one file or in shards; a pickle only read safely."""

import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from likewise.errors import InputError, Where
from likewise.models.folder.jsons import COPY_AGAIN, expect, read_object
from likewise.models.folder.paths import inside

SINGLE = "model.safetensors"
SHARDED = "model.safetensors.index.json"
PICKLED = "pytorch_model.bin"
PICKLED_SHARDED = "pytorch_model.bin.index.json"


def read_weights(folder: Path) -> dict[str, Tensor]:
    """All tensors of a folder, on the CPU, in the dtype of the file.

    Args:
        folder: holds model.safetensors, its shards with an index, or an old pytorch_model.bin.

    Raises:
        InputError: there are no weights, or a file is damaged, cut or unsafe; names it.
    """
    for name, read in ((SINGLE, read_safetensors), (PICKLED, read_pickle)):
        index = folder / f"{name}.index.json"
        if (folder / name).exists():
            return read(folder / name)
        if index.exists():
            return _read_shards(index, read)
    problem = f"no weights here: expected {SINGLE}, {SHARDED} or {PICKLED}"
    mend = "give a folder with weights, or copy the model again: the download may be incomplete"
    raise InputError(problem, mend=mend, where=Where(path=str(folder)))


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of one safetensors file, copied into memory of their own.

    Raises:
        InputError: the header lies, or the file is cut or missing; names it.
    """
    where = Where(path=str(path))
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            return {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118  # not a mapping
    except FileNotFoundError as error:
        raise InputError("this file is missing", mend=COPY_AGAIN, where=where) from error
    except (SafetensorError, OSError, ValueError) as error:
        size = path.stat().st_size if path.is_file() else 0
        problem = f"not a whole safetensors file ({size:,} bytes): {error}"
        raise InputError(problem, mend=COPY_AGAIN, where=where) from error


def read_pickle(path: Path) -> dict[str, Tensor]:
    """The tensors of a pytorch_model.bin, read without running any code.

    Raises:
        InputError: it holds anything but tensors, or is damaged or missing; names it.
    """
    where = Where(path=str(path))
    mend = f"ask for the model as {SINGLE}: a pickle can run any code when it is opened"
    try:
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # of old protocols
            found = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise InputError("this file is missing", mend=COPY_AGAIN, where=where) from error
    except Exception as error:  # damaged bytes fail in any of the unpickler's steps
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "it is empty"
        problem = f"refused, torch cannot read this pickle safely: {reason}"
        raise InputError(problem, mend=mend, where=where) from error
    if not isinstance(found, dict) or not all(isinstance(t, Tensor) for t in found.values()):
        raise InputError("expected a dictionary of tensors", mend=mend, where=where)
    return {str(name): tensor for name, tensor in found.items()}


def _read_shards(index: Path, read: Callable[[Path], dict[str, Tensor]]) -> dict[str, Tensor]:
    where = Where(path=str(index))
    places = expect(read_object(index).get("weight_map"), dict, key="weight_map", path=index)
    weights: dict[str, Tensor] = {}
    for name in sorted({str(file) for file in places.values()}):
        weights.update(read(inside(index.parent, name, where=where)))
    missing = sorted(places.keys() - weights.keys())
    if missing:
        problem = f"{len(missing)} weights listed here are in no shard, the first is {missing[0]}"
        raise InputError(problem, mend=COPY_AGAIN, where=where)
    return weights


def base_weights(weights: dict[str, Tensor], model_type: str) -> dict[str, Tensor]:
    """Only the backbone's weights, under its own names.

    Checkpoints of a model with a task head put a prefix before the backbone's names ("bert.") and
    the head beside it; very old ones call a norm's weight "gamma" and its bias "beta"; some store
    position numbers, which are no weights.

    Args:
        weights: as read.
        model_type: of config.json; the prefix follows from it.

    >>> list(base_weights({"bert.LayerNorm.gamma": torch.ones(1), "cls": torch.ones(1)}, "bert"))
    ['LayerNorm.weight']
    """
    start = next((p for p in _prefixes(model_type) if any(n.startswith(p) for n in weights)), "")
    return modern_names(
        {name.removeprefix(start): t for name, t in weights.items() if name.startswith(start)}
    )


def modern_names(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights under the names of today, without stored position numbers."""
    return {
        _modern(name): tensor
        for name, tensor in weights.items()
        if not name.endswith("position_ids")
    }


def _prefixes(model_type: str) -> tuple[str, ...]:
    family = model_type.split("-")[0]
    own = "roberta" if model_type in {"xlm-roberta", "camembert"} else family
    return (f"{own}.", "model.")


def _modern(name: str) -> str:
    stem, dot, kind = name.rpartition(".")
    if not stem.endswith("LayerNorm"):
        return name
    return stem + dot + {"gamma": "weight", "beta": "bias"}.get(kind, kind)
