"""The only module that imports transformers: public calls, no code from a model folder is run."""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import nn

from likewise.errors import InputError, Where

UNLIMITED = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSampling:
    """How texts are drawn from a sequence-to-sequence model.

    Attributes:
        count: texts for each input.
        top_k: of the likeliest tokens, so many may come next.
        top_p: and of these the first that make up such a probability (Holtzman et al. 2020).
        longest_input: tokens; longer inputs are cut.
        longest_output: tokens.
    """

    count: int
    top_k: int
    top_p: float
    longest_input: int
    longest_output: int


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


def load_seq2seq(folder: Path) -> tuple[nn.Module, Any]:
    """A model that answers a text with a text, and its tokenizer.

    Args:
        folder: holds config.json, weights and tokenizer of such a model, as T5 is one.

    Raises:
        InputError: it is of another kind, lacks weights, or transformers cannot load it.
    """
    where = Where(path=str(folder))
    mend = "name the folder of a sequence-to-sequence model, such as a docT5query model"
    try:
        with _without_bars():
            config = transformers.AutoConfig.from_pretrained(
                str(folder), local_files_only=True, trust_remote_code=False
            )
            if type(config) not in transformers.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING:
                problem = f'"{config.model_type}" is no sequence-to-sequence model'
                raise InputError(problem, where=where, mend=mend)
            model, found = transformers.AutoModelForSeq2SeqLM.from_pretrained(
                str(folder),
                local_files_only=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                str(folder), local_files_only=True, trust_remote_code=False
            )
    except InputError:
        raise
    except Exception as error:  # each family checks its files in its own way
        reason = " ".join(str(error).split()) or type(error).__name__
        problem = f"transformers cannot load a sequence-to-sequence model here: {reason}"
        raise InputError(problem, where=where, mend=mend) from error
    if found["missing_keys"] or found["mismatched_keys"]:
        lacking = sorted(map(str, (*found["missing_keys"], *found["mismatched_keys"])))
        problem = f"{len(lacking)} weights of the model are not here, such as {lacking[0]}"
        raise InputError(problem, where=where, mend=f"{mend}; an encoder alone writes nothing")
    return model.float().eval(), tokenizer


def sample_texts(
    model: nn.Module, tokenizer: Any, texts: Sequence[str], sampling: TextSampling, *, seed: int
) -> list[list[str]]:
    """Draw texts that a sequence-to-sequence model answers each text with.

    Args:
        model: as `load_seq2seq` gave it.
        tokenizer: as `load_seq2seq` gave it.
        texts: n of them, all in one batch.
        sampling: how.
        seed: of the draw; the generators of the caller stay as they were.

    Returns:
        For each text `count` texts, special tokens left out, ends trimmed.
    """
    device = next(model.parameters()).device
    batch = tokenizer(
        list(texts),
        padding=True,
        truncation=True,
        max_length=sampling.longest_input,
        return_tensors="pt",
    )
    given = {key: batch[key].to(device) for key in ("input_ids", "attention_mask")}
    asked: Any = model
    with torch.random.fork_rng([device] if device.type == "cuda" else []), torch.inference_mode():
        torch.manual_seed(seed)
        ids = asked.generate(
            **given,
            do_sample=True,
            num_beams=1,
            top_k=sampling.top_k,
            top_p=sampling.top_p,
            max_new_tokens=sampling.longest_output,
            num_return_sequences=sampling.count,
        )
    drawn = [text.strip() for text in tokenizer.batch_decode(ids, skip_special_tokens=True)]
    return [drawn[i : i + sampling.count] for i in range(0, len(drawn), sampling.count)]


def count_tokens(tokenizer: Any, texts: Sequence[str], *, most: int) -> list[int]:
    """How many tokens the tokenizer of such a model makes of each text, `most` at the most."""
    ids = tokenizer(list(texts), truncation=True, max_length=most)["input_ids"]
    return [len(text) for text in ids]


@contextmanager
def _without_bars() -> Iterator[None]:
    """Loading draws no bar: what the library is doing is said by the library's own."""
    bars: Any = transformers.utils.logging
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            bars.enable_progress_bar()
