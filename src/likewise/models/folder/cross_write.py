"""Write a cross-encoder's folder, whole or not at all, in the layout that every reader takes.

That is the plain one of transformers: `AutoModelForSequenceClassification`, every release of the
peer's CrossEncoder and servers read it. Prompts have no place in it; only where a model has some,
the files of the peer's newer layout are written beside.
"""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from likewise.models.activations import activation_path
from likewise.models.architectures.classified import classes_of
from likewise.models.folder.cross_card import write_cross_card
from likewise.models.folder.cross_encoder import OLD_ACTIVATION, CrossEncoderFolder
from likewise.models.folder.replace import replace_folder
from likewise.models.folder.weights import SINGLE

# The releases that first wrote the keys of each layout.
PLAIN_VERSION, NEWER_VERSION = "4.0.0", "5.4.0"
MODULE = "sentence_transformers.base.modules.transformer.Transformer"


def write_cross_encoder(
    path: Path, contents: CrossEncoderFolder, *, overwrite: bool = False
) -> None:
    """Write a folder that the peer's CrossEncoder, transformers and servers load.

    Args:
        path: of the folder; its parents are made.
        contents: what it shall hold.
        overwrite: take the place of an older model folder; the old one stays until the new one is
            complete.

    Raises:
        InputError: something is at `path` already, and `overwrite` is False or it is no model.
    """
    with replace_folder(Path(path), overwrite=overwrite) as folder:
        for name, content in contents.files.items():
            (folder / name).write_bytes(content)
        _write_tokenizer_config(folder / "tokenizer_config.json", contents)
        _write_json(folder / "config.json", _config(contents))
        tensors = {n: t.detach().cpu().contiguous() for n, t in contents.weights.items()}
        save_file(tensors, folder / SINGLE, metadata={"format": "pt"})
        if contents.prompts:
            _write_newer(folder, contents)
        card = contents.card or write_cross_card(
            contents, name=Path(path).resolve().name, labels=labels_of(contents.config)
        )
        (folder / "README.md").write_text(card, encoding="utf-8")


def with_labels(config: dict[str, Any], classes: int, labels: tuple[str, ...]) -> dict[str, Any]:
    """A configuration for so many classes; those without a name are called LABEL_0 and so on."""
    names = labels or tuple(f"LABEL_{i}" for i in range(classes))
    kept = {key: value for key, value in config.items() if key != "num_labels"}
    return {
        **kept,
        "id2label": {str(i): name for i, name in enumerate(names)},
        "label2id": {name: i for i, name in enumerate(names)},
    }


def labels_of(config: dict[str, Any]) -> tuple[str, ...]:
    """The names of the classes by their number; none where they are the placeholders.

    >>> labels_of(with_labels({}, 2, ("no", "yes"))), labels_of(with_labels({}, 2, ()))
    (('no', 'yes'), ())
    """
    named = {str(key): str(value) for key, value in (config.get("id2label") or {}).items()}
    names = tuple(named.get(str(i), f"LABEL_{i}") for i in range(len(named)))
    return () if names == tuple(f"LABEL_{i}" for i in range(len(names))) else names


def _config(contents: CrossEncoderFolder) -> dict[str, Any]:
    """The configuration with labels, activation, and the dtype of the weights as they are."""
    config = contents.config
    path = activation_path(contents.activation)
    found = {str(t.dtype).removeprefix("torch.") for t in contents.weights.values()}
    stated = config.keys() & {"dtype", "torch_dtype"}
    return {
        **with_labels(config, classes_of(config), labels_of(config)),
        **(dict.fromkeys(stated, found.pop()) if len(found) == 1 else {}),
        "sentence_transformers": {"version": PLAIN_VERSION, "activation_fn": path},
        OLD_ACTIVATION: path,
    }


def _write_tokenizer_config(path: Path, contents: CrossEncoderFolder) -> None:
    """The file as it was; only another length limit is put in, or that texts are lowered."""
    before = contents.files.get(path.name, b"{}")
    settings = json.loads(before)
    wanted: dict[str, Any] = {}
    if contents.max_tokens is not None:
        wanted["model_max_length"] = contents.max_tokens
    if contents.lower_case:
        wanted["do_lower_case"] = True
    if any(settings.get(key) != value for key, value in wanted.items()):
        _write_json(path, {**settings, **wanted})


def _write_newer(folder: Path, contents: CrossEncoderFolder) -> None:
    _write_json(folder / "modules.json", [{"idx": 0, "name": "0", "path": "", "type": MODULE}])
    _write_json(
        folder / "sentence_bert_config.json",
        {
            "transformer_task": "sequence-classification",
            "modality_config": {"text": {"method": "forward", "method_output_name": "logits"}},
            "module_output_name": "scores",
        },
    )
    versions = {
        "sentence_transformers": NEWER_VERSION,
        "transformers": version("transformers"),
        "pytorch": torch.__version__,
    }
    settings = {
        "__version__": versions,
        "activation_fn": activation_path(contents.activation),
        "default_prompt_name": contents.default_prompt,
        "model_type": "CrossEncoder",
        "prompts": contents.prompts,
    }
    _write_json(folder / "config_sentence_transformers.json", settings)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
