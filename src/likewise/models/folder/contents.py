"""What a model folder holds, as values: no paths, no modules, nothing built."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from torch import Tensor

from likewise.models.folder.trained_on import TrainedOn

Similarity: TypeAlias = Literal["cosine", "dot", "euclidean", "manhattan"]
SIMILARITIES: tuple[Similarity, ...] = get_args(Similarity)

# In the order in which readers that know only one boolean a mode join the vectors.
POOLING_MODES = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")

TAIL_KINDS = ("Dense", "Normalize", "LayerNorm")


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolingConfig:
    """How token vectors become one vector a text.

    Attributes:
        modes: one of POOLING_MODES or several; the vectors of several are joined in this order.
        include_prompt: False leaves the prompt's tokens out of the pooling.
    """

    modes: tuple[str, ...] = ("mean",)
    include_prompt: bool = True

    def __post_init__(self) -> None:
        unknown = [mode for mode in self.modes if mode not in POOLING_MODES]
        if unknown or not self.modes:
            raise ValueError(f"pooling modes are {', '.join(POOLING_MODES)}; found {self.modes}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TailModule:
    """One module behind the pooling: its kind, its config.json and its weights."""

    kind: str
    config: dict[str, Any] = field(default_factory=dict)
    weights: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in TAIL_KINDS:
            raise ValueError(f"a tail module is one of {', '.join(TAIL_KINDS)}; found {self.kind}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFolder:
    """Everything in a sentence-transformers folder.

    Attributes:
        config: the backbone's config.json, as it stands in the file.
        weights: the backbone's, under Hugging Face names without the prefix of a task head.
        pooling: how tokens become one vector.
        tail: modules behind the pooling, in order.
        max_tokens: longest text, special tokens included; None where no file says so.
        lower_case: texts are lowered before they are tokenised.
        prompts: prompt texts by name.
        default_prompt: name of the prompt used where none is chosen.
        similarity: how two vectors are compared.
        truncate_dimensions: vectors are cut to so many dimensions; None for all.
        files: tokenizer files by name, verbatim.
        card: README.md; None lets the writer make one.
        base_model: what this model was trained from, for a card that the writer makes.
        trained_on: the data of its training, as the card says or for a card that is made.
        folder: where it was read from; None where it was made here.
        notes: what reading had to decide, for the user to see.
    """

    config: dict[str, Any]
    weights: dict[str, Tensor]
    pooling: PoolingConfig = PoolingConfig()
    tail: tuple[TailModule, ...] = ()
    max_tokens: int | None = None
    lower_case: bool = False
    prompts: dict[str, str] = field(default_factory=dict)
    default_prompt: str | None = None
    similarity: Similarity = "cosine"
    truncate_dimensions: int | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    card: str | None = None
    base_model: str | None = None
    trained_on: TrainedOn | None = None
    folder: Path | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.similarity not in SIMILARITIES:
            raise ValueError(f"similarity is one of {SIMILARITIES}; found {self.similarity}")
        if self.default_prompt is not None and self.default_prompt not in self.prompts:
            raise ValueError(f'there is no prompt named "{self.default_prompt}"')
