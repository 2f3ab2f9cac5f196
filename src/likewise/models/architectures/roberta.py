"""RoBERTa, XLM-RoBERTa and CamemBERT: BERT with counted positions (Liu et al. 2019)."""

from functools import partial
from typing import Any

import torch
from torch import Tensor

from likewise.models.architectures.architecture import Architecture
from likewise.models.architectures.bert import Bert, bert_names
from likewise.text.packed import Packed
from likewise.text.transfer import send

PADDING_ID = 1  # of every published checkpoint, where the configuration does not say


def counted_positions(packed: Packed, *, padding_id: int) -> Tensor:
    """Each token's place among the real tokens of its text, counted from `padding_id + 1`.

    Args:
        packed: S texts.
        padding_id: of the padding token; one that stands in a text keeps this number as its place.

    Returns:
        [T] int64.
    """
    real = packed.ids != padding_id
    counted = torch.cumsum(real, dim=0)
    starts = send(packed.starts[:-1], counted.device)
    before = counted[starts] - real[starts].long()  # real tokens of all earlier texts
    places = counted - before[packed.owners()]
    return torch.where(real, places, 0) + padding_id


def build_roberta(config: dict[str, Any]) -> Bert:
    """BERT's layers under RoBERTa's positions."""
    return Bert(config, positions=partial(counted_positions, padding_id=padding_of(config)))


def padding_of(config: dict[str, Any]) -> int:
    """The padding token's id."""
    padding_id = config.get("pad_token_id")
    return PADDING_ID if padding_id is None else int(padding_id)


ROBERTA = Architecture(
    build=build_roberta,
    names=bert_names,
    most_tokens=lambda config: int(config["max_position_embeddings"]) - padding_of(config) - 1,
)
