"""The parts of a cross-encoder: from a folder, or new over the encoder of an embedding model."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from tokenizers import Tokenizer as RustTokenizer
from torch import Tensor, nn

from likewise.errors import InputError, Where
from likewise.models.activations import default_activation
from likewise.models.architectures import ARCHITECTURES
from likewise.models.architectures.classified import build_classified, classified_names
from likewise.models.architectures.classifiers import CLASSIFIERS
from likewise.models.architectures.layers import initialise
from likewise.models.architectures.names import from_checkpoint, to_checkpoint
from likewise.models.checkpoint_weights import fill_weights
from likewise.models.folder.contents import ModelFolder
from likewise.models.folder.cross_encoder import CrossEncoderFolder
from likewise.models.folder.cross_write import with_labels
from likewise.models.folder.tokenizer_files import FAST, parse_tokenizer
from likewise.text.pairs import PairTokenizer, learn_template, lower_first

TOKENIZER_CONFIG = "tokenizer_config.json"
HEAD_STD = 0.02  # of a new head's weights, where the configuration says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossParts:
    """What a cross-encoder is made of.

    Attributes:
        contents: what its folder holds besides the weights of the module.
        module: encoder and classification head with their weights, on the CPU.
        pairs: the tokenizer for pairs.
    """

    contents: CrossEncoderFolder
    module: nn.Module
    pairs: PairTokenizer


def parts_of_folder(contents: CrossEncoderFolder, *, where: str) -> CrossParts:
    """Build the module of a folder and fill in its weights.

    Args:
        contents: of the folder.
        where: the folder, for errors.

    Raises:
        InputError: weights are missing or have another shape than the configuration says.
    """
    try:
        module, names = build_classified(contents.config), classified_names(contents.config)
        limit = _most_tokens(contents.config)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        problem = f"no model can be built from this: {type(error).__name__}: {error}"
        mend = "copy config.json again: a key is missing, or its value is of another kind"
        raise InputError(problem, where=Where(path=f"{where}/config.json"), mend=mend) from error
    unused = fill_weights(module, contents.weights, names, where=where)
    return _compose(contents, module, unused, limit=limit, where=where)


def parts_over_encoder(
    contents: ModelFolder, *, classes: int, labels: tuple[str, ...], seed: int
) -> CrossParts:
    """Put a fresh head on the encoder of an embedding model, with copies of its weights.

    Args:
        contents: of the embedding model, its weights included.
        classes: K, logits a pair.
        labels: names of the classes, or none.
        seed: of the head's weights.

    Raises:
        InputError: its family has no classification head.
    """
    family = str(contents.config.get("model_type"))
    if family in ARCHITECTURES and family not in CLASSIFIERS:
        problem = f'a model of the family "{family}" cannot read two texts together'
        raise InputError(problem, mend="take a transformer as the base, such as minilm")
    config = _classifier_config(contents.config, classes, labels)
    module, prefix = _fresh(config, seed)
    names = classified_names(config)
    weights = {f"{prefix}{name}": tensor.cpu() for name, tensor in contents.weights.items()}
    own = to_checkpoint(module.state_dict(), names)
    lost = sorted(n for n in own if n.startswith(prefix) and n not in weights and "pooler" not in n)
    if lost:
        problem = f'the family "{config["model_type"]}" needs more than an encoder: {lost[0]}'
        raise InputError(problem, mend="use a base of another family, such as BERT")
    found, _, _ = from_checkpoint({**own, **weights}, names)
    module.load_state_dict(found, assign=True)
    folder = CrossEncoderFolder(
        config=config,
        weights={},
        activation=default_activation(classes),
        max_tokens=_stated_limit(contents.files),
        lower_case=contents.lower_case,
        files=contents.files,
        base_model=contents.base_model,
        trained_on=contents.trained_on,
    )
    return _compose(folder, module, {}, limit=_most_tokens(config), where="the model")


def _compose(
    contents: CrossEncoderFolder,
    module: nn.Module,
    unused: Mapping[str, Tensor],
    *,
    limit: int,
    where: str,
) -> CrossParts:
    files, config, notes = contents.files, contents.config, contents.notes
    rust = parse_tokenizer(files, where=where)
    if contents.lower_case:
        rust = lower_first(rust)
        files = {**files, FAST: rust.to_str().encode()}
    settings = json.loads(files.get(TOKENIZER_CONFIG, b"{}"))
    pairs = PairTokenizer(
        rust,
        max_tokens=min(contents.max_tokens or limit, limit),
        has_segments=_has_types(config, files, rust),
        side="left" if settings.get("truncation_side") == "left" else "right",
        empty_id=int(config.get("pad_token_id") or 0),
    )
    if config.get("model_type") not in CLASSIFIERS:
        family = config.get("model_type")
        notes = (*notes, f'"{family}" has no native encoder here: it runs padded, and slower')
    contents = replace(contents, weights=dict(unused), files=files, notes=notes)
    return CrossParts(contents=contents, module=module, pairs=pairs)


def _classifier_config(
    config: dict[str, Any], classes: int, labels: tuple[str, ...]
) -> dict[str, Any]:
    family = str(config.get("model_type"))
    labelled = with_labels(config, classes, labels)
    if family in CLASSIFIERS:
        return {**labelled, "architectures": [CLASSIFIERS[family].architecture]}
    from likewise.models.transformers_adapter import build_classifier

    model = build_classifier(labelled, device="meta")
    return {**labelled, "architectures": [type(model).__name__]}


def _fresh(config: dict[str, Any], seed: int) -> tuple[nn.Module, str]:
    """A model whose head is drawn, and the prefix of its encoder's weights in a checkpoint."""
    family = str(config.get("model_type"))
    module = build_classified(config)
    if family not in CLASSIFIERS:
        from likewise.models.transformers_adapter import build_classifier, classifier_prefix

        module.model = build_classifier(config, seed=seed)
        return module, classifier_prefix(module.model)
    std = float(config.get("initializer_range") or HEAD_STD)
    generator = torch.Generator().manual_seed(seed)
    initialise(module.get_submodule("head"), std=std, generator=generator)
    return module, CLASSIFIERS[family].prefix


def _most_tokens(config: dict[str, Any]) -> int:
    family = str(config.get("model_type"))
    architecture = ARCHITECTURES[family if family in CLASSIFIERS else "padded"]
    return architecture.most_tokens(config)


def _stated_limit(files: Mapping[str, bytes]) -> int | None:
    """The tokenizer's limit: that of an embedding model is for one text, and too short for two."""
    value = json.loads(files.get(TOKENIZER_CONFIG, b"{}")).get("model_max_length")
    is_limit = isinstance(value, int | float) and 0 < value < 1_000_000
    return int(value) if is_limit else None


def _has_types(config: dict[str, Any], files: Mapping[str, bytes], rust: RustTokenizer) -> bool:
    """Whether the model has more than one type of token, and its tokenizer hands types over.

    The latter is a property of the tokenizer's class in transformers; it is asked only where it
    could matter and where neither the file nor the most common class of all tells.
    """
    unstated = 1 if config.get("model_type") in CLASSIFIERS else 2  # XLNet's types have no number
    if int(config.get("type_vocab_size", unstated)) < 2 or not learn_template(rust).has_segments:
        return False
    settings = json.loads(files.get(TOKENIZER_CONFIG, b"{}"))
    stated = settings.get("model_input_names")
    if stated is not None:
        return "token_type_ids" in stated
    if settings.get("tokenizer_class") in {"BertTokenizer", "BertTokenizerFast"}:
        return True
    from likewise.models.transformers_adapter import hands_token_types

    return hands_token_types(files, config)
