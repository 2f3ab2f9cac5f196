"""Any other family: its encoder from transformers, over a padded rectangle of the packed texts.

Right, but without the speed of the native families; whoever loads such a model is told so.
"""

import inspect
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
        inputs, is_token = rectangle(packed, self.model, self.padding_id)
        with torch.autocast(packed.ids.device.type, dtype=dtype, enabled=dtype != torch.float32):
            out = self.model(**inputs)
        hidden: Tensor = out.last_hidden_state[is_token]
        return hidden.to(dtype)


class PaddedClassifier(nn.Module):
    """A model of transformers with its own head, behind the interface of `Classified`."""

    def __init__(self, config: dict[str, Any]) -> None:
        """Build what transformers calls this `model_type` with a head; no code of a model is run.

        Raises:
            InputError: transformers does not know the family, or has no such head for it.
        """
        from likewise.models.transformers_adapter import build_classifier

        super().__init__()
        self.model = build_classifier(config)
        self.padding_id = config.get("pad_token_id")
        self.register_load_state_dict_pre_hook(_fill_in)  # type: ignore[no-untyped-call]  # theirs

    def forward(self, packed: Packed, *, dtype: torch.dtype = torch.float32) -> Tensor:
        """Logits [S, K] float32 of a packed stream, whose arithmetic is in `dtype`."""
        if self.padding_id is None:  # a decoder could not tell where a text ends
            texts = (packed.slice(i, i + 1) for i in range(len(packed)))
            return torch.cat([self._logits(text, 0, dtype) for text in texts])
        return self._logits(packed, int(self.padding_id), dtype)

    def _logits(self, packed: Packed, padding_id: int, dtype: torch.dtype) -> Tensor:
        inputs, _ = rectangle(packed, self.model, padding_id)
        with torch.autocast(packed.ids.device.type, dtype=dtype, enabled=dtype != torch.float32):
            logits: Tensor = self.model(**inputs).logits
        return logits.float()


def rectangle(
    packed: Packed, model: nn.Module, padding_id: int
) -> tuple[dict[str, Tensor], Tensor]:
    """A packed stream as the padded arguments of a model of transformers.

    Args:
        packed: S texts, the longest with L tokens.
        model: whose `forward` tells whether it takes the types of tokens.
        padding_id: fills the cells without a token.

    Returns:
        The arguments, each [S, L], and where there is a token, [S, L] bool.
    """
    device = packed.ids.device
    lengths = packed.lengths.to(device)
    places = torch.arange(int(lengths.max()), device=device)
    is_token = places[None, :] < lengths[:, None]  # [S, L]
    ids = torch.full(is_token.shape, padding_id, device=device)
    ids[is_token] = packed.ids
    inputs = {"input_ids": ids, "attention_mask": is_token.long()}
    takes_types = "token_type_ids" in inspect.signature(model.forward).parameters
    if packed.segments is not None and takes_types:
        types = torch.zeros_like(ids)
        types[is_token] = packed.segments
        inputs["token_type_ids"] = types
    return inputs, is_token


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

    return _own_names(build_backbone(config, device="meta"))


def padded_classifier_names(config: dict[str, Any]) -> Names:
    """As `padded_names`, of the model with its head."""
    from likewise.models.transformers_adapter import build_classifier

    return _own_names(build_classifier(config, device="meta"))


def _own_names(model: nn.Module) -> Names:
    kept = model.state_dict()
    parameters = [name for name, _ in model.named_parameters()]  # a shared weight comes once
    buffers = [n for n, b in model.named_buffers() if n in kept and b.is_floating_point()]
    return {f"model.{name}": (name,) for name in [*parameters, *buffers]}


def padded_most_tokens(config: dict[str, Any]) -> int:
    """As many as there are positions, where the family has any."""
    from likewise.models.transformers_adapter import most_tokens_of

    return most_tokens_of(config)


PADDED = Architecture(build=Padded, names=padded_names, most_tokens=padded_most_tokens)
