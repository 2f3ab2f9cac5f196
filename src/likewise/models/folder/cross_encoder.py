"""Read a cross-encoder's folder: the plain transformers layout, and the peer's since 6."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from likewise.errors import InputError, Where
from likewise.models.activations import default_activation, find_score_activation
from likewise.models.architectures.classified import classes_of
from likewise.models.folder.jsons import (
    expect,
    first_limit,
    read_json,
    read_object,
    read_object_if_there,
)
from likewise.models.folder.tokenizer_files import read_tokenizer_files
from likewise.models.folder.trained_on import TrainedOn, read_trained_on
from likewise.models.folder.weights import modern_names, read_weights

CLASSIFIES = "ForSequenceClassification"
OLD_ACTIVATION = "sbert_ce_default_activation_function"  # before 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossEncoderFolder:
    """Everything in a cross-encoder's folder.

    Attributes:
        config: config.json, as it stands in the file.
        weights: under the names of transformers' `…ForSequenceClassification`.
        activation: what turns logits into scores, by our name.
        max_tokens: longest pair, special tokens included; None where no file says so.
        lower_case: texts are lowered before they are tokenised.
        prompts: texts to put before the first text of a pair, by name.
        default_prompt: name of the prompt that is always put there.
        files: tokenizer files by name, verbatim.
        card: README.md; None lets the writer make one.
        base_model: what this model was trained from, for a card that the writer makes.
        trained_on: the data of its training, as the card says or for a card that is made.
        folder: where it was read from; None where it was made here.
        notes: what reading had to decide, for the user to see.
    """

    config: dict[str, Any]
    weights: dict[str, Tensor]
    activation: str
    max_tokens: int | None = None
    lower_case: bool = False
    prompts: dict[str, str] = field(default_factory=dict)
    default_prompt: str | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    card: str | None = None
    base_model: str | None = None
    trained_on: TrainedOn | None = None
    folder: Path | None = None
    notes: tuple[str, ...] = ()


def is_cross_encoder_folder(path: Path) -> bool:
    """Whether a folder says that it holds a model which scores pairs; weights are not read.

    Raises:
        InputError: one of its JSON files is damaged; names it.
    """
    return _refusal(path) is None


def read_cross_encoder(path: Path) -> CrossEncoderFolder:
    """Everything in a cross-encoder's folder, checked.

    Args:
        path: a folder with config.json, weights and a tokenizer; with modules.json and its
            companions where sentence-transformers 6 wrote it.

    Raises:
        InputError: it holds another kind of model, or a file is missing, damaged, unsafe or of a
            form not supported; names it.
    """
    refusal = _refusal(path)
    if refusal is not None:
        raise refusal
    config = read_object(path / "config.json")
    expect(config.get("model_type"), str, key="model_type", path=path / "config.json")
    settings = read_object_if_there(path / "config_sentence_transformers.json")
    is_newer = (path / "modules.json").exists()
    module = read_object_if_there(path / "sentence_bert_config.json") if is_newer else {}
    prompts = settings.get("prompts") or {}
    file = path / "README.md"
    card = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else None
    return CrossEncoderFolder(
        config=config,
        weights=modern_names(read_weights(path)),
        activation=_activation(path, config, settings),
        max_tokens=_max_tokens(path, module),
        lower_case=bool(module.get("do_lower_case", False)),
        prompts=expect(
            prompts, dict, key="prompts", path=path / "config_sentence_transformers.json"
        ),
        default_prompt=_default_prompt(path, settings, prompts),
        files=read_tokenizer_files(path),
        card=card,
        trained_on=read_trained_on(card),
        folder=path,
    )


def _refusal(path: Path) -> InputError | None:
    """Why a folder is no cross-encoder, if it is none."""
    where = Where(path=str(path))
    if not (path / "config.json").exists():
        problem = "no cross-encoder is here: config.json is missing"
        mend = "give the folder that holds config.json and the weights"
        if not (path / "modules.json").exists():
            return InputError(problem, mend=mend, where=where)
    kind = read_object_if_there(path / "config_sentence_transformers.json").get("model_type")
    modules = read_json(path / "modules.json") if (path / "modules.json").exists() else []
    names = [_class_of(line, path / "modules.json") for line in modules]
    if kind == "CrossEncoder" and names != ["Transformer"]:
        problem = f"a cross-encoder made of {', '.join(names) or 'nothing'} is not supported"
        mend = "use one with a classification head: its modules.json has one Transformer"
        return InputError(problem, mend=mend, where=Where(path=str(path / "modules.json")))
    if kind == "CrossEncoder":
        return _task_refusal(path)
    if kind == "SentenceTransformer" or names:
        return _no_classifier(
            "an embedding model: it gives a text a vector, not a pair a score", path
        )
    config = read_object(path / "config.json")
    stated = config.get("architectures") or []
    if stated and not str(stated[0]).endswith(CLASSIFIES):
        return _no_classifier(f"{stated[0]}, a model without a classification head", path)
    return None


def _no_classifier(what: str, path: Path) -> InputError:
    mend = f"make a cross-encoder from it: likewise train DATA --base {path} --method cross-encoder"
    return InputError(f"this is {what}", mend=mend, where=Where(path=str(path)))


def _task_refusal(path: Path) -> InputError | None:
    file = path / "sentence_bert_config.json"
    task = read_object_if_there(file).get("transformer_task", "sequence-classification")
    if task == "sequence-classification":
        return None
    problem = f'"transformer_task": expected "sequence-classification", found "{task}"'
    mend = "use a cross-encoder with a classification head"
    return InputError(problem, mend=mend, where=Where(path=str(file)))


def _class_of(line: Any, path: Path) -> str:
    expect(line, dict, key="modules", path=path)
    return str(expect(line.get("type"), str, key="type", path=path)).rsplit(".", 1)[-1]


def _activation(path: Path, config: dict[str, Any], settings: dict[str, Any]) -> str:
    """As the newest file that says so, else by the number of classes."""
    own = config.get("sentence_transformers") or {}
    expect(own, dict, key="sentence_transformers", path=path / "config.json")
    stated = (
        (settings.get("activation_fn"), path / "config_sentence_transformers.json"),
        (own.get("activation_fn"), path / "config.json"),
        (config.get(OLD_ACTIVATION), path / "config.json"),
    )
    for name, file in stated:
        if name is not None:
            expect(name, str, key="activation_fn", path=file)
            return find_score_activation(name, where=Where(path=str(file)))
    return default_activation(classes_of(config))


def _max_tokens(path: Path, module: dict[str, Any]) -> int | None:
    """The first limit stated: by the module's text options, by the module, by the tokenizer."""
    options = module.get("processing_kwargs") or {}
    tokenizer = read_object_if_there(path / "tokenizer_config.json")
    stated = (
        (options.get("text") or {}).get("max_length"),
        module.get("max_seq_length"),
        tokenizer.get("model_max_length"),
    )
    mend = "correct model_max_length in tokenizer_config.json"
    return first_limit(stated, what="pair", mend=mend, path=path)


def _default_prompt(path: Path, settings: dict[str, Any], prompts: dict[str, str]) -> str | None:
    name = settings.get("default_prompt_name")
    if name is None or name in prompts:
        return name
    problem = f'"default_prompt_name": there is no prompt named {name!r}'
    file = path / "config_sentence_transformers.json"
    mend = f"one of: {', '.join(prompts) or 'null'}"
    raise InputError(problem, mend=mend, where=Where(path=str(file)))
