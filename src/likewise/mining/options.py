"""What negatives are mined, and which candidates may become one."""

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, ConfigDict

from likewise.errors import InputError

Hardness: TypeAlias = Literal["easy", "semi-hard", "hard"]
Sampling: TypeAlias = Literal["top", "uniform", "rank", "temperature"]
Suspicious: TypeAlias = Literal["drop", "list", "keep"]
Layout: TypeAlias = Literal["columns", "list", "rows"]

RANKS: dict[Hardness, tuple[int, int]] = {"easy": (1, 1), "semi-hard": (10, 50), "hard": (1, 100)}


def split_names(given: Any) -> Any:
    """Names as a command line has them, with commas between; anything else as it is.

    >>> split_names("minilm, models/first")
    ('minilm', 'models/first')
    """
    if isinstance(given, str):
        return tuple(part.strip() for part in given.split(",") if part.strip())
    return given


@dataclass(frozen=True, slots=True, kw_only=True)
class MiningOptions:
    """Everything about mining that is not data or a model.

    Attributes:
        hardness: "hard": what the model ranks highest; "semi-hard": from the middle of its
            ranking; "easy": any document, drawn at random.
        negatives: so many for each row, at most.
        from_rank: the highest rank looked at, from 1, right answers not counted; 1 where hard, 10
            where semi-hard.
        to_rank: the lowest rank looked at; 100 where hard, 50 where semi-hard.
        relative_margin: share of the positive's cosine that must lie between it and a negative's
            (TopK-PercPos of NV-Retriever, Moreira et al. 2024, which found 0.05 best).
        absolute_margin: cosine that must lie between (its TopK-MarginPos).
        min_score: lowest cosine of a negative.
        max_score: a negative's cosine must be below it (its TopK-Abs).
        near_duplicates: a document whose cosine to the anchor or to one of its right answers is
            this or more repeats it, and is never a negative; 1.01 for none.
        also: further models, with commas between them; their rankings and the model's are fused.
        bm25: fuse the ranking by words too.
        cross_encoder: a model that scores the candidates again, orders them, and tells which are
            relevant.
        rescored: candidates of a row that the cross-encoder scores.
        relevant: score of the cross-encoder, a sigmoid, from which a document is relevant.
        sampling: "top": the first candidates; "uniform": any; "rank": the nth with a weight of
            1/n; "temperature": by the softmax of the scores. "uniform" where semi-hard, else
            "top".
        temperature: of that softmax.
        suspicious: what is done with candidates that may be right answers, as they are within the
            margin, above the positive, or relevant to the cross-encoder: "drop" leaves them out,
            "list" writes them in a CSV beside the output too, "keep" takes them and says so.
        layout: of the output: "columns" negative_1, negative_2 and so on; a "list" of negatives in
            one column; "rows", one for each negative.
        index: how vectors are searched: "exact", or by FAISS "faiss-flat", "ivf", "hnsw"; "auto"
            is exact as long as that takes minutes.
        memory: gigabytes that the index and the candidates may take.
        vectors: of the vectors on disk: "float32", or "float16", half as large.
        precision: of the models, as for `likewise encode`.
        device: auto, cpu, cuda or mps.
        seed: of all draws.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    hardness: Hardness = "hard"
    negatives: int = 1
    from_rank: int | None = None
    to_rank: int | None = None
    relative_margin: float = 0.05
    absolute_margin: float = 0.0
    min_score: float | None = None
    max_score: float | None = None
    near_duplicates: float = 0.98
    also: Annotated[tuple[str, ...], BeforeValidator(split_names)] = ()
    bm25: bool = False
    cross_encoder: str | None = None
    rescored: int = 20
    relevant: float = 0.5
    sampling: Sampling | None = None
    temperature: float = 0.05
    suspicious: Suspicious = "drop"
    layout: Layout = "columns"
    index: str = "auto"
    memory: float = 4.0
    vectors: Literal["float32", "float16"] = "float32"
    precision: str = "auto"
    device: str = "auto"
    seed: int = 42

    @property
    def ranks(self) -> tuple[int, int]:
        """The first and the last rank that is looked at."""
        first, last = RANKS[self.hardness]
        first = first if self.from_rank is None else self.from_rank
        return first, max(last, first) if self.to_rank is None else self.to_rank

    @property
    def draw(self) -> Sampling:
        """How negatives are chosen among the candidates."""
        return self.sampling or ("uniform" if self.hardness == "semi-hard" else "top")

    def __post_init__(self) -> None:
        """Refuse values out of range and options that have no effect, naming the option."""
        first, last = self.ranks
        is_drawn = self.hardness == "easy"
        for name, good, expected in (
            ("negatives", self.negatives >= 1, "1 or more"),
            ("from_rank", first >= 1, "1 or more"),
            ("to_rank", last >= first, f"at least the first rank, {first}"),
            (
                "to_rank",
                is_drawn or last - first + 1 >= self.negatives,
                f"at least {first + self.negatives - 1} for {self.negatives} negatives",
            ),
            ("relative_margin", 0 <= self.relative_margin < 1, "from 0 to below 1"),
            ("absolute_margin", 0 <= self.absolute_margin <= 2, "from 0 to 2"),
            ("min_score", _within(self.min_score, -1, 1), "a cosine, from -1 to 1"),
            ("max_score", _within(self.max_score, -1, 1), "a cosine, from -1 to 1"),
            ("near_duplicates", 0 < self.near_duplicates <= 2, "over 0, and 1.01 for none"),
            (
                "rescored",
                self.cross_encoder is None or self.rescored >= self.negatives,
                f"{self.negatives} or more",
            ),
            ("relevant", 0 < self.relevant <= 1, "over 0, to 1"),
            ("temperature", 0 < self.temperature < math.inf, "over 0 and finite"),
            ("memory", 0 < self.memory < math.inf, "over 0 and finite"),
            ("seed", self.seed >= 0, "0 or more"),
        ):
            if not good:
                problem = f"{name} must be {expected}, found {getattr(self, name)}"
                raise InputError(problem, mend=f"change {_flag(name)}")
        ranked = ("from_rank", "to_rank", "also", "bm25", "sampling")
        for name in ranked if is_drawn else ():
            if getattr(self, name):
                problem = f"{_flag(name)} has no effect: easy negatives are drawn from all"
                raise InputError(problem, mend=f"leave it out, or {_flag('hardness')} hard")


def _within(value: float | None, low: float, high: float) -> bool:
    return value is None or low <= value <= high


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
