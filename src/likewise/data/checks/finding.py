"""What a check found: how bad it is, where, and what to do."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, Protocol, TypeAlias

from likewise.data.dataset import Dataset, RetrievalSet
from likewise.errors import SHOWN, Where

Data: TypeAlias = Dataset | RetrievalSet
Level: TypeAlias = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a check found.

    Attributes:
        level: "error" must be mended, "warning" looked at, "note" is for information.
        text: what was found, in one sentence.
        rows: up to twenty places.
        count: how many rows it is about.
        mend: a thing to do; empty for a note.
        facts: the numbers behind the text, for `--json`.
    """

    level: Level
    text: str
    rows: tuple[Where, ...] = ()
    count: int = 0
    mend: str = ""
    facts: Mapping[str, float] = field(default_factory=dict)


class Check(Protocol):
    """What every check is: a look at one data set, and perhaps at those given before it."""

    def __call__(self, data: Data, others: Sequence[Data] = ()) -> list[Finding]:
        """Return what was found; nothing found is an empty list."""
        ...


def places(data: Data, rows: Iterable[int]) -> tuple[Where, ...]:
    """The first twenty of these rows, as a user finds them.

    Args:
        data: whose rows they are; the rows of a retrieval set are its queries.
        rows: their indices.
    """
    first = islice(rows, SHOWN)
    if isinstance(data, Dataset):
        return tuple(data.where(int(i)) for i in first)
    return tuple(Where(path=f"{data.name}, query {data.query_ids[int(i)]}") for i in first)
