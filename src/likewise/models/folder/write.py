"""Write a model folder in the older sentence-transformers layout, whole or not at all."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from likewise.models.folder.card import write_card
from likewise.models.folder.contents import ModelFolder, TailModule
from likewise.models.folder.layouts import format_pooling
from likewise.models.folder.replace import replace_folder
from likewise.models.folder.static_layout import STATIC_KIND, is_static, refuse_other_pooling
from likewise.models.folder.weights import SINGLE

# The release that first wrote every key we write: a reader warns of a newer number than its own.
LAYOUT_VERSION = "3.0.0"
DENSE_KEYS = ("in_features", "out_features", "bias", "activation_function")


def write_folder(path: Path, contents: ModelFolder, *, overwrite: bool = False) -> None:
    """Write a folder that sentence-transformers and its relatives load.

    It is written beside `path`, synced to the disk and renamed, so that `path` never holds half a
    model, and a failure leaves nothing behind.

    Args:
        path: of the folder; its parents are made.
        contents: what it shall hold.
        overwrite: take the place of an older model folder; the old one stays until the new one is
            complete.

    Raises:
        InputError: something is at `path` already, and `overwrite` is False or it is no model; or
            the pooling is one that the folder cannot tell.
    """
    if is_static(contents):
        refuse_other_pooling(contents)
    with replace_folder(Path(path), overwrite=overwrite) as target:
        _write(target, contents, name=Path(path).resolve().name)


def _write(folder: Path, contents: ModelFolder, *, name: str) -> None:
    modules = (
        _write_static(folder, contents) if is_static(contents) else _write_first(folder, contents)
    )
    _write_json(folder / "config_sentence_transformers.json", _settings(contents), sort=True)
    dimensions = _width(contents) * len(contents.pooling.modes)
    for i, module in enumerate(contents.tail, start=len(modules)):
        place = f"{i}_{module.kind}"
        modules.append(_line(i, module.kind, place))
        _write_tail(folder / place, module)
        dimensions = int(module.config.get("out_features", dimensions))
    _write_json(folder / "modules.json", modules)
    card = contents.card or write_card(contents, name=name, dimensions=dimensions)
    (folder / "README.md").write_text(card, encoding="utf-8")


def _write_first(folder: Path, contents: ModelFolder) -> list[dict[str, Any]]:
    """The transformer in the root and the pooling; their lines of modules.json."""
    for file, content in contents.files.items():
        (folder / file).write_bytes(content)
    _write_json(folder / "config.json", _config(contents))
    _write_weights(folder / SINGLE, contents.weights)
    limits = {"max_seq_length": contents.max_tokens, "do_lower_case": contents.lower_case}
    _write_json(folder / "sentence_bert_config.json", limits)
    pooling = format_pooling(contents.pooling, _width(contents))
    (folder / "1_Pooling").mkdir()
    _write_json(folder / "1_Pooling" / "config.json", pooling)
    return [_line(0, "Transformer", ""), _line(1, "Pooling", "1_Pooling")]


def _write_static(folder: Path, contents: ModelFolder) -> list[dict[str, Any]]:
    """The table and its tokenizer; its line of modules.json."""
    place = f"0_{STATIC_KIND}"
    (folder / place).mkdir()
    for file, content in contents.files.items():
        (folder / place / file).write_bytes(content)
    _write_weights(folder / place / SINGLE, contents.weights)
    return [_line(0, STATIC_KIND, place)]


def _line(i: int, kind: str, place: str) -> dict[str, Any]:
    type_name = f"sentence_transformers.models.{kind}"
    return {"idx": i, "name": str(i), "path": place, "type": type_name}


def _config(contents: ModelFolder) -> dict[str, Any]:
    """The configuration with the dtype of the weights as they are: readers cast them to it."""
    found = {str(t.dtype).removeprefix("torch.") for t in contents.weights.values()}
    stated = contents.config.keys() & {"dtype", "torch_dtype"}
    if len(found) != 1 or not stated:
        return contents.config
    return {**contents.config, **dict.fromkeys(stated, found.pop())}


def _width(contents: ModelFolder) -> int:
    """H, under the name that the family gives it."""
    for key in ("hidden_size", "dim", "d_model", "n_embd"):
        if isinstance(contents.config.get(key), int):
            return int(contents.config[key])
    raise ValueError("the configuration names no width: hidden_size, dim, d_model or n_embd")


def _settings(contents: ModelFolder) -> dict[str, Any]:
    versions = {
        "sentence_transformers": LAYOUT_VERSION,
        "transformers": version("transformers"),
        "pytorch": torch.__version__,
    }
    settings: dict[str, Any] = {
        "__version__": versions,
        "model_type": "SentenceTransformer",
        "prompts": contents.prompts,
        "default_prompt_name": contents.default_prompt,
        "similarity_fn_name": contents.similarity,
    }
    if contents.truncate_dimensions is not None:
        settings["truncate_dim"] = contents.truncate_dimensions
    return settings


def _write_tail(folder: Path, module: TailModule) -> None:
    folder.mkdir()
    if module.kind == "Normalize":
        return  # before 5.4 it had no configuration, and its folder was empty
    config = module.config
    if module.kind == "Dense":  # older readers take these keys alone
        config = {key: config[key] for key in DENSE_KEYS if key in config}
        if module.config.get("use_residual"):
            config["use_residual"] = True
    _write_json(folder / "config.json", config)
    _write_weights(folder / SINGLE, module.weights)


def _write_weights(path: Path, weights: dict[str, Tensor]) -> None:
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    save_file(tensors, path, metadata={"format": "pt"})


def _write_json(path: Path, value: Any, *, sort: bool = False) -> None:
    text = json.dumps(value, indent=2, sort_keys=sort, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
