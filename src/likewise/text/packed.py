"""A batch as one stream of token ids with sequence boundaries: never a padded rectangle."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from likewise.text.transfer import send


@dataclass(frozen=True, kw_only=True)
class Packed:
    """S texts as one stream of T token ids.

    Attributes:
        ids: [T] int64 token ids, special tokens included.
        starts: [S + 1] int64 on the CPU; text s is `ids[starts[s]:starts[s + 1]]`, never empty.
        pooled: [T] bool, or None for all: the tokens that pooling may see. A prompt that is left
            out of the pooling (`include_prompt=False`) is False here.
        segments: [T] int64, or None for all 0: the type of each token where two texts were joined
            to a pair, 0 in the first text and 1 in the second.
        towers: [S] int64 on the CPU, or None for all 0: which of several models embeds each text.
    """

    ids: Tensor
    starts: Tensor
    pooled: Tensor | None = None
    segments: Tensor | None = None
    towers: Tensor | None = None

    def __post_init__(self) -> None:
        if self.ids.dim() != 1 or self.starts.dim() != 1 or len(self.starts) < 2:
            raise ValueError("ids must be [T] and starts [S + 1] with S at least 1")
        if int(self.starts[0]) != 0 or int(self.starts[-1]) != len(self.ids):
            raise ValueError(f"starts must go from 0 to {len(self.ids)}, the number of ids")
        if bool((self.starts[1:] <= self.starts[:-1]).any()):
            raise ValueError("every text needs one token at least")
        if self.segments is not None and self.segments.shape != self.ids.shape:
            raise ValueError(f"segments must be [T] like ids, found {list(self.segments.shape)}")
        if self.towers is not None and len(self.towers) != len(self):
            raise ValueError(f"towers must be [S], {len(self)} texts, found {len(self.towers)}")

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> Tensor:
        """[S] int64 on the CPU: tokens a text."""
        return self.starts[1:] - self.starts[:-1]

    def positions(self) -> Tensor:
        """[T] int64: each token's place in its text, from 0."""
        return torch.arange(len(self.ids), device=self.ids.device) - self._spread(self.starts[:-1])

    def owners(self) -> Tensor:
        """[T] int64: the text that each token belongs to."""
        return self._spread(torch.arange(len(self)))

    def _spread(self, values: Tensor) -> Tensor:
        """[S] on the CPU to [T] where the ids are: the value of the text of each token."""
        device, size = self.ids.device, len(self.ids)  # of the result: else a GPU is waited for
        return send(values, device).repeat_interleave(send(self.lengths, device), output_size=size)

    def to(self, device: torch.device | str) -> "Packed":
        """The same stream with its ids on `device`; boundaries stay on the CPU."""
        pooled = None if self.pooled is None else send(self.pooled, device)
        segments = None if self.segments is None else send(self.segments, device)
        ids = send(self.ids, device)
        return Packed(
            ids=ids, starts=self.starts, pooled=pooled, segments=segments, towers=self.towers
        )

    def slice(self, first: int, last: int) -> "Packed":
        """The texts from `first` to before `last` as a stream of their own."""
        a, b = int(self.starts[first]), int(self.starts[last])
        return Packed(
            ids=self.ids[a:b],
            starts=self.starts[first : last + 1] - a,
            pooled=None if self.pooled is None else self.pooled[a:b],
            segments=None if self.segments is None else self.segments[a:b],
            towers=None if self.towers is None else self.towers[first:last],
        )


def pack(texts: Sequence[NDArray[np.int32] | Sequence[int]]) -> Packed:
    """Join the token ids of S texts into one stream, in the order given.

    >>> pack([[101, 7, 102], [101, 102]]).lengths.tolist()
    [3, 2]
    """
    starts = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum([len(text) for text in texts], out=starts[1:])
    ids = np.concatenate([np.asarray(text, dtype=np.int64) for text in texts])
    return Packed(ids=torch.from_numpy(ids), starts=torch.from_numpy(starts))


def shortest_first(
    lengths: Sequence[int] | NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The order in which texts make a stream that attention is fastest on.

    Args:
        lengths: [S] tokens of each.

    Returns:
        [S] the texts by their length, equal ones as they stand; and [S] where each of them comes
        to stand.

    >>> order, place = shortest_first([3, 1, 2])
    >>> order.tolist(), place.tolist()
    ([1, 2, 0], [2, 0, 1])
    """
    order = np.argsort(lengths, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return order, place


def filled(packed: Packed, filler: int, *, longest: int) -> tuple[Packed, int | None]:
    """Add one text of filler tokens, so that streams come in few sizes.

    oneDNN compiles and keeps a kernel for every size of matrix that it meets; with one size a
    batch a process grows by gigabytes. Rounding the tokens up to one of 32 sizes an octave costs
    about 1 % of them and keeps memory flat. The filler stands where its length belongs, so that
    a stream sorted by length stays sorted.

    Args:
        packed: S texts of T tokens.
        filler: the token id to fill with.
        longest: tokens that a text may have, and so the filler.

    Returns:
        S + 1 texts, and the place of the filler among them; or the S texts as they are, and None.

    >>> stream, place = filled(pack([[1] * 90, [2] * 95]), 0, longest=256)
    >>> stream.lengths.tolist(), place
    ([3, 90, 95], 0)
    """
    tokens = len(packed.ids)
    step = max(tokens.bit_length() - 6, 2)
    missing = -tokens % (1 << min(step, longest.bit_length() - 1))
    if not missing:
        return packed, None
    place = int(torch.searchsorted(packed.lengths, missing))
    at = int(packed.starts[place])
    pooled, segments = packed.pooled, packed.segments
    if pooled is not None:
        pooled = torch.cat([pooled[:at], pooled.new_ones(missing), pooled[at:]])
    if segments is not None:
        segments = torch.cat([segments[:at], segments.new_zeros(missing), segments[at:]])
    ids = torch.cat([packed.ids[:at], packed.ids.new_full((missing,), filler), packed.ids[at:]])
    starts = torch.cat([packed.starts[: place + 1], packed.starts[place:] + missing])
    return Packed(ids=ids, starts=starts, pooled=pooled, segments=segments), place
