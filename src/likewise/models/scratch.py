"""Encoders with random weights, to be trained from nothing: BERT's form in three sizes."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import torch
from torch import Tensor

from likewise.errors import InputError
from likewise.models.architectures import ARCHITECTURES
from likewise.models.architectures.layers import initialise
from likewise.models.architectures.names import to_checkpoint
from likewise.models.folder.contents import ModelFolder
from likewise.models.folder.jsons import read_object_if_there
from likewise.models.folder.layouts import read_modules
from likewise.models.folder.tokenizer_files import FAST, parse_tokenizer, read_tokenizer_files
from likewise.models.source import ModelName, resolve_model
from likewise.text.tokenizer_training import SPECIAL, train_tokenizer

SEED = 42  # the same name means the same weights, everywhere
STD = 0.02  # of every matrix (Devlin et al. 2019)
POSITIONS = 512
OWN, OWN_LOWER = "own", "own:lower"
TOKENIZER_CONFIG = "tokenizer_config.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Layers, their width H, and the heads of their attention; feed-forward layers have 4 H."""

    layers: int
    width: int
    heads: int


# As BERT-mini (Turc et al. 2019), MiniLM (Wang et al. 2020) and BERT-base (Devlin et al. 2019)
SIZES: Final[Mapping[str, Size]] = MappingProxyType(
    {
        "mini": Size(layers=4, width=256, heads=4),
        "small": Size(layers=6, width=384, heads=12),
        "base": Size(layers=12, width=768, heads=12),
    }
)


def has_own_tokenizer(named: ModelName) -> bool:
    """Whether a name asks for an encoder whose tokenizer is trained on the user's texts."""
    return named.scratch is not None and named.base in {OWN, OWN_LOWER}


def scratch_contents(named: ModelName, *, texts: Iterable[str] | None = None) -> ModelFolder:
    """What the folder of a random encoder would hold.

    The weights are drawn as BERT's are, from a seed that is always 42: all matrices from
    N(0, 0.02²), biases 0, norms the identity. Pooling is the mean.

    Args:
        named: scratch:SIZE[:TOKENIZER], taken apart.
        texts: to train a tokenizer on, where the name asks for one of its own.

    Raises:
        InputError: there is no such size, or no such model to take the tokenizer of; or a
            tokenizer of its own is asked for, and no texts are given.
    """
    size = _size(named)
    files = _own_files(named, texts) if has_own_tokenizer(named) else _files_of(named.base)
    tokenizer = parse_tokenizer(files.files, where=named.base)
    vocabulary = max(tokenizer.get_vocab().values()) + 1
    padding = 0 if files.padding is None else tokenizer.token_to_id(files.padding)
    config = _config(size, vocabulary, padding=padding or 0)
    architecture = ARCHITECTURES["bert"]
    module = architecture.build(config)
    initialise(module, std=STD, generator=torch.Generator().manual_seed(SEED))
    parameters = sum(parameter.numel() for parameter in module.parameters())
    note = (
        f"scratch:{named.scratch}: {size.layers} layers, {size.width} wide, {size.heads} heads, "
        f"{vocabulary:,} tokens ({named.base}), {parameters / 1e6:.1f} million random weights; "
        "they learn at higher rates than trained ones: --learning-rate 5e-4"
    )
    weights = to_checkpoint(module.state_dict(), architecture.names(config))
    return ModelFolder(
        config=config,
        weights=weights | _pooler(size.width),
        max_tokens=POSITIONS,
        lower_case=files.lower_case,
        files=files.files,
        notes=(note,),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Files:
    """A tokenizer's files, its padding token, and whether the model lowers texts before it."""

    files: dict[str, bytes]
    padding: str | None
    lower_case: bool = False


def _size(named: ModelName) -> Size:
    found = SIZES.get(named.scratch or "")
    if found is not None:
        return found
    told = ", ".join(f"{name} ({s.layers} layers, {s.width} wide)" for name, s in SIZES.items())
    problem = f'there is no size "{named.scratch}" of a random encoder'
    raise InputError(problem, mend=f"write scratch:SIZE with one of: {told}")


def _own_files(named: ModelName, texts: Iterable[str] | None) -> _Files:
    name = f"scratch:{named.scratch}:{named.base}"
    if texts is None:
        problem = f'the tokenizer of "{name}" is trained on texts, and there are none here'
        mend = (
            f"train with it: likewise train texts.txt --base {name} --method mlm; "
            f'in Python: likewise.load("{name}", texts=[…])'
        )
        raise InputError(problem, mend=mend)
    trained = train_tokenizer(texts, lower_case=named.base == OWN_LOWER)
    roles = zip(("pad", "unk", "cls", "sep", "mask"), SPECIAL, strict=True)
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": POSITIONS,
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        **{f"{role}_token": token for role, token in roles},
    }
    files = {FAST: trained.to_str().encode(), TOKENIZER_CONFIG: _dump(settings)}
    return _Files(files=files, padding=SPECIAL[0])


def _files_of(name: str) -> _Files:
    """The tokenizer of a named model; its weights are not looked at."""
    folder = resolve_model(name)
    modules = folder / "modules.json"
    home = read_modules(modules)[0].folder if modules.exists() else folder
    files = read_tokenizer_files(home)
    stated = read_object_if_there(home / TOKENIZER_CONFIG).get("pad_token")
    limits = read_object_if_there(home / "sentence_bert_config.json")
    return _Files(
        files=files,
        padding=stated.get("content") if isinstance(stated, dict) else stated,
        lower_case=bool(limits.get("do_lower_case", False)),
    )


def _config(size: Size, vocabulary: int, *, padding: int) -> dict[str, Any]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "vocab_size": vocabulary,
        "hidden_size": size.width,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "intermediate_size": 4 * size.width,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "max_position_embeddings": POSITIONS,
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
        "initializer_range": STD,
        "pad_token_id": padding,
    }


def _pooler(width: int) -> dict[str, Tensor]:
    """What readers of a BERT expect behind it; no embedding goes through it."""
    draw = torch.Generator().manual_seed(SEED + 1)
    weight = torch.empty(width, width).normal_(std=STD, generator=draw)
    return {"pooler.dense.weight": weight, "pooler.dense.bias": torch.zeros(width)}


def _dump(value: Any) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()
