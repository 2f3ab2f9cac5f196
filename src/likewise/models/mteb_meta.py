"""What MTEB writes beside a model's results: size, limits, licence, and what it was trained on."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from torch import Tensor, nn

from likewise.extras import require
from likewise.models.checkpoint_weights import fingerprint_weights
from likewise.models.folder.card import hub_name_or_none
from likewise.models.folder.trained_on import TrainedOn, read_front_matter
from likewise.models.source import name_on_hub

FRAMEWORK = ["Sentence Transformers", "PyTorch", "safetensors"]
KNOWN = ("training_datasets", "license", "languages", "release_date", "reference", "open_weights",
         "citation", "public_training_code", "public_training_data", "adapted_from")  # fmt: skip


def encoder_meta(encoder: Any) -> Any:
    """An embedding model's `mteb.models.ModelMeta`.

    Args:
        encoder: an `Encoder`.

    Raises:
        MissingExtra: mteb is not installed.
    """
    contents = encoder.contents
    settings = {
        "pooling": contents.pooling.modes,
        "include_prompt": contents.pooling.include_prompt,
        "tail": [[module.kind, module.config] for module in contents.tail],
        "prompts": contents.prompts,
        "default_prompt": contents.default_prompt,
        "max_tokens": encoder.max_tokens,
        "truncate": contents.truncate_dimensions,
    }
    scoring = require("mteb.models.model_meta", extra="mteb").ScoringFunction
    own = {
        "max_tokens": encoder.max_tokens,
        "embed_dim": contents.truncate_dimensions or encoder.dimensions,
        "similarity_fn_name": scoring(contents.similarity),
        "use_instructions": bool(contents.prompts),
        "model_type": ["dense"],
    }
    return _meta(contents, encoder.module, settings, own)


def cross_encoder_meta(model: Any) -> Any:
    """A cross-encoder's `mteb.models.ModelMeta`.

    Args:
        model: a `CrossEncoder`.

    Raises:
        MissingExtra: mteb is not installed.
    """
    settings = {
        "prompt": model.prompt,
        "activation": model.activation,
        "max_tokens": model.max_tokens,
    }
    own = {
        "max_tokens": model.max_tokens,
        "use_instructions": bool(model.prompt),
        "model_type": ["cross-encoder"],
    }
    return _meta(model.contents, model.module, settings, own)


def mteb_tasks() -> dict[str, str]:
    """Every task of MTEB: its name to that of its data set on the hub.

    From the classes themselves: to make a task, as `mteb.get_tasks` does with all of them, sets
    the seeds of every generator of the process.

    Raises:
        MissingExtra: mteb is not installed.
    """
    classes = vars(require("mteb.tasks", extra="mteb")).values()
    known: list[Any] = [getattr(one, "metadata", None) for one in classes if isinstance(one, type)]
    return {
        meta.name: str((getattr(meta, "dataset", None) or {}).get("path", ""))
        for meta in known
        if hasattr(meta, "name")
    }


def mteb_names(datasets: Iterable[str], tasks: Mapping[str, str]) -> set[str]:
    """The tasks of MTEB that data sets are the data of, and the data sets' own names.

    A name fits by itself, as a task's name or that of its data set, or without its owner: a copy
    under another owner holds the same texts, and a flag too many is better than one too few.

    Args:
        datasets: names on the hub, files, or names of tasks.
        tasks: of MTEB, name to the name of its data set.

    >>> sorted(mteb_names(["PolyAI/banking77"], {"Banking77Classification": "mteb/banking77"}))
    ['Banking77Classification', 'PolyAI/banking77']
    """
    named = set(datasets)
    bare = {one.rsplit("/", 1)[-1].casefold() for one in named}
    return named | {
        task
        for task, data in tasks.items()
        if task in named or data in named or data.rsplit("/", 1)[-1].casefold() in bare
    }


def _meta(
    contents: Any, module: nn.Module, settings: Mapping[str, Any], own: Mapping[str, Any]
) -> Any:
    mteb = require("mteb", extra="mteb")
    name = name_on_hub(contents.folder)
    weights = module.state_dict()
    tensors = list(weights.values())
    found = {
        **_registered(mteb, name),
        "name": name,
        "revision": _revision(weights, settings),
        "n_parameters": sum(tensor.numel() for tensor in tensors),
        "n_embedding_parameters": _embedding_parameters(tensors, contents.config),
        "memory_usage_mb": sum(t.numel() * t.element_size() for t in tensors) / 2**20,
        "framework": FRAMEWORK,
        "modalities": ["text"],
        **own,
    }
    if found.get("training_datasets") is None:
        found["training_datasets"] = _training_datasets(contents.trained_on)
    if found.get("license") is None:
        found["license"] = _license(read_front_matter(contents.card).get("license"))
    if found.get("adapted_from") is None:
        found["adapted_from"] = _adapted_from(contents)
    return mteb.models.ModelMeta.create_empty(overwrites=found)


def _registered(mteb: Any, name: str) -> dict[str, Any]:
    """What MTEB itself knows of a model of that name."""
    try:
        meta = mteb.get_model_meta(name, fetch_from_hf=False)
    except KeyError:
        return {}
    return {field: getattr(meta, field) for field in KNOWN if getattr(meta, field) is not None}


def _revision(weights: Mapping[str, Tensor], settings: Mapping[str, Any]) -> str:
    """SHA-256 of the weights and of every setting that vectors follow from."""
    digest = hashlib.sha256(fingerprint_weights(weights).encode())
    digest.update(json.dumps(settings, sort_keys=True).encode())
    return digest.hexdigest()


def _embedding_parameters(tensors: Iterable[Tensor], config: Mapping[str, Any]) -> int | None:
    """Of the first matrix with a row a token."""
    rows = config.get("vocab_size")
    return next((t.numel() for t in tensors if t.ndim == 2 and t.shape[0] == rows), None)


def _training_datasets(data: TrainedOn | None) -> set[str] | None:
    """Names for the contamination flags; None where nothing is recorded, which flags nothing."""
    if data is None:
        return None
    return mteb_names((*data.datasets, *data.files), mteb_tasks())


def _license(stated: Any) -> str | None:
    """A card's licence, where it is one that MTEB has a name for."""
    allowed = get_args(require("mteb.types", extra="mteb").Licenses)
    word = str(stated).casefold()
    return word if word in allowed else None


def _adapted_from(contents: Any) -> str | None:
    stated = contents.base_model or read_front_matter(contents.card).get("base_model")
    return hub_name_or_none(stated) if isinstance(stated, str) else None
