"""The two ways in which sentence-transformers has written its folders, side by side.

Up to 5.3 a module's class is `sentence_transformers.models.X`, the pooling has one boolean a mode
and the length limit stands in sentence_bert_config.json; since 5.4 classes have longer paths, the
pooling names its modes and the limit stands in tokenizer_config.json. Both are read here; what is
written is the older one, the only one that every reader takes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from likewise.errors import InputError, Where
from likewise.models.folder.contents import POOLING_MODES, TAIL_KINDS, PoolingConfig
from likewise.models.folder.jsons import COPY_AGAIN, expect, read_json
from likewise.models.folder.paths import inside
from likewise.models.folder.static_layout import STATIC_KIND

# Before 1.0 the first module was named after its family.
TRANSFORMER_CLASSES = ("Transformer", "BERT", "RoBERTa", "DistilBERT", "CamemBERT", "XLMRoBERTa")

LEGACY_POOLING = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleEntry:
    """One line of modules.json: a class of sentence-transformers and the folder it reads from."""

    kind: str
    folder: Path


def read_modules(path: Path) -> tuple[ModuleEntry, ...]:
    """The modules of a folder in their order: a transformer and a pooling, or a table of vectors.

    Args:
        path: of modules.json.

    Raises:
        InputError: damaged, a class that Likewise does not know, or a path that leaves the folder.
    """
    where = Where(path=str(path))
    lines = read_json(path)
    if not isinstance(lines, list) or not lines:
        raise InputError("expected a list of modules", mend=COPY_AGAIN, where=where)
    entries = tuple(_entry(line, path, where) for line in lines)
    kinds = [entry.kind for entry in entries]
    begins = kinds[:2] in (["Transformer"], ["Transformer", "Pooling"]) or kinds[0] == STATIC_KIND
    if not begins or any(kind not in TAIL_KINDS for kind in kinds[first_of_tail(entries) :]):
        problem = (
            f"expected Transformer, Pooling and what follows, or {STATIC_KIND} and what follows, "
            f"found {', '.join(kinds)}"
        )
        mend = "use a model of that form; others have no native encoder here"
        raise InputError(problem, mend=mend, where=where)
    return entries


def first_of_tail(entries: Sequence[ModuleEntry]) -> int:
    """The place of the first module behind the pooling; a table needs no pooling of its own."""
    return 1 if entries[0].kind == STATIC_KIND else 2


def _entry(line: Any, path: Path, where: Where) -> ModuleEntry:
    expect(line, dict, key="modules", path=path)
    full = expect(line.get("type"), str, key="type", path=path)
    name = expect(line.get("path", ""), str, key="path", path=path)
    kind = full.rsplit(".", 1)[-1]
    if not full.startswith("sentence_transformers."):
        problem = f'"{full}" is code of the model\'s own, which is never run'
        mend = "use a model whose modules come from sentence_transformers alone"
        raise InputError(problem, mend=mend, where=where)
    if kind in TRANSFORMER_CLASSES:
        kind = "Transformer"
    if kind not in {"Transformer", "Pooling", STATIC_KIND, *TAIL_KINDS}:
        problem = f'the module type "{full}" is not supported'
        mend = f"use a model with Transformer, Pooling, {STATIC_KIND}, {', '.join(TAIL_KINDS)}"
        if kind == "WordEmbeddings":  # whose tokenizer is Python of its own
            mend = "give the file of word vectors that it was made from: static:FILE"
        raise InputError(problem, mend=mend, where=where)
    return ModuleEntry(kind=kind, folder=inside(path.parent, name, where=where))


def parse_pooling(config: Mapping[str, Any], path: Path) -> PoolingConfig:
    """Either way of naming the modes.

    Args:
        config: of the pooling's config.json; without any mode it means "mean", as in the peer.
        path: of that file, for errors.

    Raises:
        InputError: an unknown mode.
    """
    if "pooling_mode" in config:
        named = expect(config["pooling_mode"], (str, list, tuple), key="pooling_mode", path=path)
        modes = (named,) if isinstance(named, str) else tuple(named)
    else:
        chosen = {mode for key, mode in LEGACY_POOLING.items() if config.get(key, False)}
        modes = tuple(mode for mode in POOLING_MODES if mode in chosen) or ("mean",)
    include = expect(config.get("include_prompt", True), bool, key="include_prompt", path=path)
    try:
        return PoolingConfig(modes=modes, include_prompt=include)
    except (ValueError, TypeError) as error:
        mend = 'correct "pooling_mode" in this file'
        raise InputError(str(error), mend=mend, where=Where(path=str(path))) from error


def format_pooling(pooling: PoolingConfig, width: int) -> dict[str, Any]:
    """The pooling's config.json in the older layout.

    Several modes in an order of their own cannot be told in it (booleans have no order): then the
    newer layout is written, since a reader that refuses is better than one that swaps vectors.

    >>> format_pooling(PoolingConfig(), 384)["pooling_mode_mean_tokens"]
    True
    """
    if pooling.modes != tuple(mode for mode in POOLING_MODES if mode in pooling.modes):
        return {
            "embedding_dimension": width,
            "pooling_mode": list(pooling.modes),
            "include_prompt": pooling.include_prompt,
        }
    booleans = {key: mode in pooling.modes for key, mode in LEGACY_POOLING.items()}
    return {
        "word_embedding_dimension": width,
        **booleans,
        "include_prompt": pooling.include_prompt,
    }
