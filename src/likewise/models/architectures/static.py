"""A table of token vectors and nothing else: a hidden state is a row, whatever stands beside it."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from likewise.models.architectures.architecture import Architecture
from likewise.models.architectures.names import Names
from likewise.models.dropout import drop
from likewise.text.packed import Packed

MOST_TOKENS = 1_000_000  # there are no positions; it bounds the memory of a single text


class Static(nn.Module):
    """hidden[t] = table[ids[t]]: averaged word vectors once they are pooled.

    The id behind the last row stands for a text without any token. It is the zero vector, as in
    sentence-transformers' StaticEmbedding, and is never trained.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        """Leave the table empty: it is read from a folder.

        Args:
            config: `vocab_size` rows of `hidden_size` numbers; `dropout` of the rows' values in
                training, 0 where it is not named, as in the peer.
        """
        super().__init__()
        self.width = int(config["hidden_size"])
        self.dropout = float(config.get("dropout", 0.0))
        self.table = nn.Parameter(torch.empty(int(config["vocab_size"]), self.width))

    def forward(self, packed: Packed, *, dtype: torch.dtype = torch.float32) -> Tensor:
        """Rows [T, H] of a packed stream, in float32 always: there is no arithmetic to shorten."""
        is_token = packed.ids < len(self.table)
        hidden = F.embedding(packed.ids.masked_fill(~is_token, 0), self.table)
        hidden = hidden.masked_fill(~is_token.unsqueeze(1), 0.0)
        return drop(hidden, self.dropout) if self.training and self.dropout > 0 else hidden


def static_names(config: dict[str, Any]) -> Names:
    """Our one name to that of sentence-transformers' StaticEmbedding."""
    return {"table": ("embedding.weight",)}


STATIC = Architecture(
    build=Static, names=static_names, most_tokens=lambda config: MOST_TOKENS, learning_rate=5e-2
)
