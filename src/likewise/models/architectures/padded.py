"""Any other family: its encoder from transformers, over a padded rectangle of the packed texts.

Right, but without the speed of the native families; whoever loads such a model is told so.
"""

from typing import Any

import torch
from torch import Tensor, nn

from likewise.models.architectures.architecture import Architecture
from likewise.models.architectures.names import Names
from likewise.text.packed import Packed


class Padded(nn.Module):
    """A backbone of transformers behind the interface of the native ones."""

    def __init__(self, config: dict[str, Any]) -> None:
        """Build what transformers calls this `model_type`; a model's own code is never run.

        Raises:
            InputError: transformers does not know the family.
        """
        from likewise.models.transformers_adapter import build_backbone, width_of

        super().__init__()
        self.model = build_backbone(config)
        self.width = width_of(self.model)
        self.padding_id = int(config.get("pad_token_id") or 0)
        self.register_load_state_dict_pre_hook(_fill_in)  # type: ignore[no-untyped-call]  # theirs

    def forward(self, packed: Packed, *, dtype: torch.dtype = torch.float32) -> Tensor:
        """Hidden states [T, H] of a packed stream, in `dtype`."""
        device = packed.ids.device
        lengths = packed.lengths.to(device)
        places = torch.arange(int(lengths.max()), device=device)
        is_token = places[None, :] < lengths[:, None]  # [S, L]
        ids = torch.full(is_token.shape, self.padding_id, device=device)
        ids[is_token] = packed.ids
        with torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
            out = self.model(input_ids=ids, attention_mask=is_token.long())
        hidden: Tensor = out.last_hidden_state[is_token]
        return hidden.to(dtype)


def _fill_in(module: nn.Module, weights: dict[str, Any], prefix: str, *rest: object) -> None:
    """Complete what a checkpoint does not hold: the second name of a shared weight, buffers."""
    shared: dict[int, Tensor] = {}
    for name, tensor in module.model.state_dict(keep_vars=True).items():  # type: ignore[union-attr]  # a module
        key = f"{prefix}model.{name}"
        if isinstance(tensor, nn.Parameter):
            found = shared.setdefault(id(tensor), weights.get(key, tensor))
            if key in weights and not isinstance(found, nn.Parameter):
                found = shared[id(tensor)] = nn.Parameter(found)
            weights[key] = found
        else:
            weights.setdefault(key, tensor)


def padded_names(config: dict[str, Any]) -> Names:
    """Each weight under its own name; of a shared weight the first name."""
    from likewise.models.transformers_adapter import build_backbone

    model = build_backbone(config, device="meta")
    kept = model.state_dict()
    parameters = [name for name, _ in model.named_parameters()]  # a shared weight comes once
    buffers = [n for n, b in model.named_buffers() if n in kept and b.is_floating_point()]
    return {f"model.{name}": (name,) for name in [*parameters, *buffers]}


def padded_most_tokens(config: dict[str, Any]) -> int:
    """As many as there are positions, where the family has any."""
    from likewise.models.transformers_adapter import most_tokens_of

    return most_tokens_of(config)


PADDED = Architecture(build=Padded, names=padded_names, most_tokens=padded_most_tokens)
