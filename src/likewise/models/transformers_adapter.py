"""The only module that imports transformers: public calls, no code from a model folder is run."""

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import nn

from likewise.errors import InputError, Where

UNLIMITED = 1_000_000


def make_fast_tokenizer(folder: Path) -> bytes:
    """The bytes of a tokenizer.json made from a folder's older tokenizer files.

    Raises:
        InputError: transformers cannot convert them.
    """
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False
        )
        with tempfile.TemporaryDirectory() as scratch:
            tokenizer.save_pretrained(scratch)
            return (Path(scratch) / "tokenizer.json").read_bytes()
    except (OSError, ValueError, ImportError, KeyError, AttributeError, TypeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        problem = f"no tokenizer.json here, and the older files do not make one: {reason}"
        mend = "load and save the tokenizer once with transformers, which writes tokenizer.json"
        raise InputError(problem, mend=mend, where=Where(path=str(folder))) from error


def hands_token_types(files: Mapping[str, bytes], config: dict[str, Any]) -> bool:
    """Whether the tokenizer gives its model a type for each token, as transformers has it.

    Args:
        files: of the tokenizer, by name.
        config: of the model's config.json.

    Returns:
        True too where transformers cannot load the tokenizer: then its own template decides.
    """
    with tempfile.TemporaryDirectory() as scratch:
        for name, content in {**files, "config.json": json.dumps(config).encode()}.items():
            (Path(scratch) / name).write_bytes(content)
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                scratch, local_files_only=True, trust_remote_code=False
            )
        except (OSError, ValueError, ImportError, KeyError, AttributeError, TypeError):
            return True
    return "token_type_ids" in tokenizer.model_input_names


def build_backbone(config: dict[str, Any], *, device: str = "cpu") -> nn.Module:
    """A backbone of any family that transformers brings, with arbitrary weights.

    Args:
        config: of the model's config.json.
        device: "meta" gives the names and shapes alone.

    Returns:
        The text encoder; of a model with a decoder, its encoder.

    Raises:
        InputError: transformers does not know the family, or its code is the model's own.
    """
    return _build(config, _encoder_class, device=device, seed=None)


def build_classifier(
    config: dict[str, Any], *, device: str = "cpu", seed: int | None = None
) -> nn.Module:
    """A model with a classification head of any family that has one in transformers.

    Args:
        config: of the model's config.json; its labels give the number of classes.
        device: "meta" gives the names and shapes alone.
        seed: of the weights, drawn as the family draws them; None for arbitrary ones.

    Raises:
        InputError: transformers does not know the family, has no such head for it, or its code
            is the model's own.
    """
    return _build(config, _classifier_class, device=device, seed=seed)


def classifier_prefix(model: nn.Module) -> str:
    """What a checkpoint of a model with a head puts before the names of its encoder's weights."""
    return f"{model.base_model_prefix}."


def _build(
    config: dict[str, Any], choose: Callable[[Any], Any], *, device: str, seed: int | None
) -> nn.Module:
    kept = {key: value for key, value in config.items() if key != "auto_map"}
    model_type = str(kept.pop("model_type", ""))
    mend = "use a model of a family that transformers brings; a model's own code is never run"
    try:
        known = transformers.AutoConfig.for_model(model_type, **kept)
        with torch.random.fork_rng(devices=[]), torch.device(device):
            if seed is not None:
                torch.manual_seed(seed)
            model: nn.Module = choose(known).from_config(known, trust_remote_code=False)
    except Exception as error:  # each family checks its configuration in its own way
        reason = " ".join(str(error).split()) or type(error).__name__
        problem = f'transformers cannot build the family "{model_type}": {reason}'
        raise InputError(problem, mend=mend) from error
    return model


def _encoder_class(config: Any) -> Any:
    is_encoder = type(config) in transformers.MODEL_FOR_TEXT_ENCODING_MAPPING
    return transformers.AutoModelForTextEncoding if is_encoder else transformers.AutoModel


def _classifier_class(config: Any) -> Any:
    return transformers.AutoModelForSequenceClassification


def width_of(model: nn.Module) -> int:
    """H of a backbone that transformers built."""
    config: Any = model.config
    return int(config.get_text_config().hidden_size)


def most_tokens_of(config: dict[str, Any]) -> int:
    """How many positions a family has for one text; UNLIMITED where they are relative.

    Args:
        config: of the model's config.json.
    """
    model = build_backbone(config, device="meta")
    known: Any = model.config
    positions = getattr(known.get_text_config(), "max_position_embeddings", None)
    if not isinstance(positions, int) or positions < 1:
        return UNLIMITED
    return positions - _first_position(model)


def _first_position(model: nn.Module) -> int:
    """Where counting starts: families that descend from RoBERTa leave out the padding's place."""
    for module in model.modules():
        table = getattr(module, "position_embeddings", None)
        padding = getattr(module, "padding_idx", None)
        if isinstance(table, nn.Embedding) and isinstance(padding, int):
            return padding + 1
    return 0
