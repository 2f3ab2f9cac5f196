"""Read a model folder: either sentence-transformers layout, or a plain transformers folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from torch import Tensor

from likewise.errors import InputError, Where
from likewise.models.folder.contents import (
    SIMILARITIES,
    ModelFolder,
    PoolingConfig,
    Similarity,
    TailModule,
)
from likewise.models.folder.jsons import expect, first_limit, read_object, read_object_if_there
from likewise.models.folder.layouts import (
    ModuleEntry,
    first_of_tail,
    parse_pooling,
    read_modules,
)
from likewise.models.folder.static_layout import (
    STATIC_KIND,
    WEIGHT,
    bare_tail,
    is_bare_static,
    read_table,
    static_config,
)
from likewise.models.folder.tokenizer_files import read_tokenizer_files
from likewise.models.folder.trained_on import read_trained_on
from likewise.models.folder.weights import base_weights, read_weights

TRANSFORMER_CONFIGS = (
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
    "sentence_xlm-roberta_config.json",
)


def read_folder(path: Path) -> ModelFolder:
    """Everything in a model folder, checked.

    Args:
        path: a folder with modules.json in the layout of sentence-transformers up to 5.3 or
            since 5.4; one with only config.json, weights and a tokenizer, which gets mean pooling,
            and a note that says so; or a table of vectors with its tokenizer (StaticEmbedding,
            model2vec).

    Raises:
        InputError: a file is missing, damaged, unsafe or of a form not supported; names it.
    """
    path = Path(path)
    if not path.is_dir():
        found = "a file" if path.exists() else "nothing"
        problem = f'expected a model folder at "{path}", found {found}'
        raise InputError(problem, mend="give the folder that holds config.json and modules.json")
    entries = _entries(path)
    first = (
        _read_static(entries[0]) if entries[0].kind == STATIC_KIND else _read_first(path, entries)
    )
    settings = _Settings.read(path / "config_sentence_transformers.json")
    tail = tuple(_tail(entry) for entry in entries[first_of_tail(entries) :])
    file = path / "README.md"
    card = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else None
    return ModelFolder(
        config=first.config,
        weights=first.weights,
        pooling=first.pooling,
        tail=(*first.tail, *tail),
        max_tokens=first.max_tokens,
        lower_case=first.lower_case,
        prompts=settings.prompts,
        default_prompt=settings.default_prompt,
        similarity=settings.similarity,
        truncate_dimensions=settings.truncate_dimensions,
        files=read_tokenizer_files(entries[0].folder),
        card=card,
        trained_on=read_trained_on(card),
        notes=first.notes,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _First:
    """What stands before the tail: the transformer with its pooling, or the table."""

    config: dict[str, Any]
    weights: dict[str, Tensor]
    pooling: PoolingConfig
    tail: tuple[TailModule, ...] = ()
    max_tokens: int | None = None
    lower_case: bool = False
    notes: tuple[str, ...] = ()


def _read_first(path: Path, entries: tuple[ModuleEntry, ...]) -> _First:
    home = entries[0].folder
    config = read_object(home / "config.json")
    model_type = expect(config.get("model_type"), str, key="model_type", path=home / "config.json")
    pooling, notes = _pooling(path, entries)
    limits = _transformer_settings(home)
    return _First(
        config=config,
        weights=base_weights(read_weights(home), model_type),
        pooling=pooling,
        max_tokens=_max_tokens(limits, home),
        lower_case=bool(limits.get("do_lower_case", False)),
        notes=notes,
    )


def _read_static(entry: ModuleEntry) -> _First:
    table = read_table(entry.folder)
    config = static_config(*table.shape)
    has_modules = (entry.folder / "modules.json").exists()
    tail = () if has_modules else bare_tail(entry.folder)
    return _First(config=config, weights={WEIGHT: table}, pooling=PoolingConfig(), tail=tail)


def _entries(path: Path) -> tuple[ModuleEntry, ...]:
    if (path / "modules.json").exists():
        return read_modules(path / "modules.json")
    if is_bare_static(path):
        return (ModuleEntry(kind=STATIC_KIND, folder=path),)
    if not (path / "config.json").exists():
        problem = "neither modules.json nor config.json is here"
        mend = "give a model folder, or copy the model again"
        raise InputError(problem, mend=mend, where=Where(path=str(path)))
    return (ModuleEntry(kind="Transformer", folder=path),)


def _pooling(path: Path, entries: tuple[ModuleEntry, ...]) -> tuple[PoolingConfig, tuple[str, ...]]:
    if len(entries) == 1:
        note = f"{path} says nothing about pooling: the mean over all tokens is used"
        return PoolingConfig(), (note,)
    file = entries[1].folder / "config.json"
    return parse_pooling(read_object(file), file), ()


def _tail(entry: ModuleEntry) -> TailModule:
    file = entry.folder / "config.json"
    config = read_object_if_there(file) if entry.kind == "Normalize" else read_object(file)
    for key in ("module_input_name", "module_output_name"):
        name = config.get(key, "sentence_embedding")
        if name not in {"sentence_embedding", None}:
            problem = f'"{key}": only "sentence_embedding" is supported, found "{name}"'
            mend = "use a model whose modules pass one vector a text"
            raise InputError(problem, mend=mend, where=Where(path=str(file)))
    weights = {} if entry.kind == "Normalize" else read_weights(entry.folder)
    return TailModule(kind=entry.kind, config=config, weights=weights)


def _transformer_settings(home: Path) -> dict[str, Any]:
    file = next((home / n for n in TRANSFORMER_CONFIGS if (home / n).exists()), None)
    settings = {} if file is None else read_object(file)
    task = settings.get("transformer_task", "feature-extraction")
    output = settings.get("module_output_name") or "token_embeddings"
    if file is not None and (task, output) != ("feature-extraction", "token_embeddings"):
        problem = f"expected token embeddings of feature-extraction, found {output} of {task}"
        mend = "give an embedding model: this one answers with something else"
        raise InputError(problem, mend=mend, where=Where(path=str(file)))
    return settings


def _max_tokens(settings: dict[str, Any], home: Path) -> int | None:
    """The first limit stated: by the transformer module, its text options, the tokenizer."""
    options = settings.get("processing_kwargs") or {}
    tokenizer_file = home / "tokenizer_config.json"
    stated = (
        settings.get("max_seq_length"),
        (options.get("text") or {}).get("max_length"),
        read_object_if_there(tokenizer_file).get("model_max_length"),
    )
    mend = "correct the length limit in sentence_bert_config.json"
    return first_limit(stated, what="text", mend=mend, path=home)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    """config_sentence_transformers.json; every key has been absent in some release."""

    prompts: dict[str, str]
    default_prompt: str | None
    similarity: Similarity
    truncate_dimensions: int | None

    @classmethod
    def read(cls, file: Path) -> "_Settings":
        config = read_object_if_there(file)
        kind = config.get("model_type") or "SentenceTransformer"
        if kind != "SentenceTransformer":
            problem = f'"model_type": expected "SentenceTransformer", found "{kind}"'
            mend = "give an embedding model: this one gives no single dense vector a text"
            raise InputError(problem, mend=mend, where=Where(path=str(file)))
        prompts = expect(config.get("prompts") or {}, dict, key="prompts", path=file)
        for name, text in prompts.items():
            expect(text, str, key=f"prompts.{name}", path=file)
        similarity = config.get("similarity_fn_name") or "cosine"
        if similarity not in SIMILARITIES:
            problem = (
                f'"similarity_fn_name": one of {", ".join(SIMILARITIES)}, found {similarity!r}'
            )
            mend = 'correct "similarity_fn_name" in this file'
            raise InputError(problem, mend=mend, where=Where(path=str(file)))
        default = config.get("default_prompt_name")
        if default is not None and default not in prompts:
            problem = f'"default_prompt_name": there is no prompt named {default!r}'
            mend = f"one of: {', '.join(prompts) or 'null'}"
            raise InputError(problem, mend=mend, where=Where(path=str(file)))
        cut = expect(config.get("truncate_dim"), (int, type(None)), key="truncate_dim", path=file)
        return cls(
            prompts=dict(prompts),
            default_prompt=default,
            similarity=cast("Similarity", similarity),
            truncate_dimensions=cut,
        )
