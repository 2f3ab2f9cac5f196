"""Weights of a checkpoint in a module: filled in, copied in, and told apart by a hash."""

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from likewise.errors import InputError, Where
from likewise.models.architectures.names import Names, from_checkpoint

MEND = "copy the folder again: the file does not belong to its config.json"


def fill_weights(
    module: nn.Module,
    weights: Mapping[str, Tensor],
    names: Names,
    *,
    where: str,
    file: str = "model.safetensors",
) -> dict[str, Tensor]:
    """Give a module that was just built the weights of a checkpoint.

    Args:
        module: whose weights are replaced.
        weights: under the checkpoint's names.
        names: the module's to the checkpoint's.
        where: the folder, for errors.
        file: in it, for errors.

    Returns:
        The weights that the module does not use.

    Raises:
        InputError: weights are missing or have another shape than the configuration says.
    """
    ours, unused, missing = from_checkpoint(weights, names)
    place = Where(path=f"{where}/{file}")
    if missing:
        problem = f"{len(missing)} weights are missing, the first is {missing[0]}"
        raise InputError(problem, where=place, mend=MEND)
    expected = module.state_dict()
    for key, tensor in ours.items():
        if tensor.shape != expected[key].shape:
            problem = (
                f"{' + '.join(names[key])} has shape {list(tensor.shape)}, "
                f"config.json says {list(expected[key].shape)}"
            )
            raise InputError(problem, where=place, mend=MEND)
    module.load_state_dict(ours, assign=True)
    return unused


def copy_weights(module: nn.Module, source: nn.Module) -> None:
    """Put the weights of a module of the same shape into this one, in place."""
    own = module.state_dict()
    with torch.no_grad():
        for name, tensor in source.state_dict().items():
            own[name].copy_(tensor)


def fingerprint_weights(weights: Mapping[str, Tensor]) -> str:
    """SHA-256 over names and values of weights, in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode())
        digest.update(weights[name].detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
