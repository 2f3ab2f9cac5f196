"""Weight names of a checkpoint and ours: a table of renames that goes both ways."""

from collections.abc import Mapping
from typing import TypeAlias

import torch
from torch import Tensor

# Our name to the checkpoint's; several are joined along their first dimension (fused q, k, v).
Names: TypeAlias = dict[str, tuple[str, ...]]


def from_checkpoint(
    weights: Mapping[str, Tensor], names: Names
) -> tuple[dict[str, Tensor], dict[str, Tensor], list[str]]:
    """Rename and fuse a checkpoint's weights.

    Returns:
        Our weights in float32; those of the checkpoint that the encoder does not use (a pooler,
        say), to be written back when it is saved; and the checkpoint's names that are missing.
    """
    wanted = {name for parts in names.values() for name in parts}
    missing = sorted(wanted - weights.keys())
    ours = {
        name: torch.cat([weights[part].float() for part in parts])
        if len(parts) > 1
        else weights[parts[0]].float()
        for name, parts in names.items()
        if all(part in weights for part in parts)
    }
    unused = {name: tensor for name, tensor in weights.items() if name not in wanted}
    return ours, unused, missing


def to_checkpoint(ours: Mapping[str, Tensor], names: Names) -> dict[str, Tensor]:
    """The inverse of `from_checkpoint`: split what was fused, under the checkpoint's names."""
    weights: dict[str, Tensor] = {}
    for name, parts in names.items():
        for part, tensor in zip(parts, ours[name].chunk(len(parts)), strict=True):
            weights[part] = tensor.detach().contiguous().clone()
    return weights
