"""Between a folder's contents and a working encoder, both ways."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer as RustTokenizer
from torch import nn

from likewise.errors import InputError, Where
from likewise.models.architectures import ARCHITECTURES
from likewise.models.checkpoint_weights import copy_weights, fill_weights
from likewise.models.device import choose_device
from likewise.models.encoder import Encoder, architecture_of
from likewise.models.folder.contents import ModelFolder, PoolingConfig
from likewise.models.folder.read import read_folder
from likewise.models.folder.static_layout import is_static, refuse_other_pooling
from likewise.models.folder.tokenizer_files import FAST, parse_tokenizer
from likewise.models.heads import build_tail
from likewise.models.scratch import scratch_contents
from likewise.models.source import parse_name, resolve_model
from likewise.models.static import Component, static_contents
from likewise.models.word_vectors import read_word_vectors
from likewise.text.tokenizer import Tokenizer


def load(name: str | Path, *, device: str = "auto", texts: Iterable[str] | None = None) -> Encoder:
    """Load an embedding model.

    Args:
        name: one of
            a folder: of sentence-transformers, of transformers, or a static table;
            "minilm": the embedded all-MiniLM-L6-v2;
            "hub:ORG/NAME" or a bare "ORG/NAME": a model of the Hugging Face hub;
            "static:FILE": the mean of word vectors (GloVe, word2vec or .npz), with ":sif" behind
            it weighted by rarity and without what all words have in common;
            "scratch:SIZE" (mini, small or base): random weights, drawn from a seed that is always
            the same, with MiniLM's tokenizer; "scratch:SIZE:MODEL" with another model's, and
            "scratch:SIZE:own" with one trained on `texts` ("own:lower": on lowered ones);
            "mean:MODEL", "cls:MODEL" and every other name in POOLINGS: the bare backbone of any
            of these with that pooling and nothing behind it, as an untrained baseline.
        device: "auto" (CUDA, then MPS, then CPU) or a device's name.
        texts: for a tokenizer of its own; not looked at otherwise.

    Raises:
        InputError: there is no such model, or its folder is damaged; names the file.
        MissingExtra: the package that brings the model is not installed.
    """
    named = parse_name(str(name))
    if named.is_static:
        common = None if named.sif is None else "words"
        where = named.base
        contents = _word_vectors(Path(where), sif=named.sif, remove_component_of=common)
    elif named.scratch is not None:
        where, contents = named.base, scratch_contents(named, texts=texts)
    else:
        folder = resolve_model(named.base)
        where, contents = str(folder), replace(read_folder(folder), folder=folder)
    if named.pooling is not None:
        contents = bare(contents, named.pooling)
    encoder = from_contents(contents, where=where)
    encoder.module.to(choose_device(device))
    return encoder


def static_encoder(
    path: str | Path,
    *,
    sif: float | None = None,
    frequencies_of: Sequence[str] | None = None,
    remove_component_of: Component | None = None,
    device: str = "auto",
) -> Encoder:
    """Averaged word vectors as an encoder: a baseline, and the fastest base to train.

    The weights of smooth inverse frequency and the removal of the first component (Arora et al.
    2017) are folded into the table, so that encoding, training and saving know nothing of them.

    Args:
        path: of GloVe's or word2vec's text, plain or gzip, or an .npz of `words` and `vectors`.
        sif: a of the weights a / (a + p(w)); 1e-3 in the paper; None for equal weights.
        frequencies_of: texts to count p(w) in; by the order of the file where None.
        remove_component_of: texts whose first component is taken out; or "words", the mean
            direction of the words, for which no texts are needed.
        device: "auto" or a device's name.

    Raises:
        InputError: the file is damaged (names file and row), or an option is out of range.
    """
    contents = _word_vectors(
        Path(path), sif=sif, frequencies_of=frequencies_of, remove_component_of=remove_component_of
    )
    encoder = from_contents(contents, where=str(path))
    encoder.module.to(choose_device(device))
    return encoder


def _word_vectors(path: Path, **options: Any) -> ModelFolder:
    vectors = read_word_vectors(path.expanduser())
    return replace(static_contents(vectors, **options), base_model=path.name)


def bare(contents: ModelFolder, pooling: str) -> ModelFolder:
    """Only the backbone of a model, with a pooling of one's choice: an untrained baseline.

    What was made for the model's own vectors is left out: modules behind the pooling, prompts,
    the similarity and the number of dimensions.

    Args:
        contents: of the model's folder.
        pooling: a name in POOLINGS.

    Raises:
        InputError: a static model is a mean, and nothing else can be saved of it.
    """
    kept = contents.notes if is_static(contents) else ()  # the others are about its own pooling
    plain = ModelFolder(
        config=contents.config,
        weights=contents.weights,
        pooling=PoolingConfig(modes=(pooling,)),
        max_tokens=contents.max_tokens,
        lower_case=contents.lower_case,
        files=contents.files,
        trained_on=contents.trained_on,
        folder=contents.folder,
        notes=(*kept, f'the bare backbone with pooling "{pooling}"'),
    )
    if is_static(plain):
        refuse_other_pooling(plain)
    return plain


def from_contents(contents: ModelFolder, *, where: str = "the model") -> Encoder:
    """Build an encoder and fill in its weights.

    Raises:
        InputError: weights are missing or have another shape than the configuration says.
    """
    architecture = architecture_of(contents)
    try:
        backbone = architecture.build(contents.config)
        names = architecture.names(contents.config)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        problem = f"no model can be built from this: {type(error).__name__}: {error}"
        mend = "copy config.json again: a key is missing, or its value is of another kind"
        raise InputError(problem, where=Where(path=f"{where}/config.json"), mend=mend) from error
    unused = fill_weights(backbone, contents.weights, names, where=where)
    tail = build_tail(contents.tail)
    limit = min(
        contents.max_tokens or architecture.most_tokens(contents.config),
        architecture.most_tokens(contents.config),
    )
    rust = parse_tokenizer(contents.files, where=where)
    if is_static(contents):
        rust.post_processor = None  # as in the peer: no special tokens around a text
        _refuse_ids_without_row(rust, contents, where)
    tokenizer = Tokenizer(
        rust,
        max_tokens=limit,
        lower_case=contents.lower_case,
        empty_id=int(contents.config.get("pad_token_id") or 0),
    )
    notes = contents.notes
    if architecture is ARCHITECTURES["padded"]:
        family = contents.config.get("model_type")
        notes = (*notes, f'"{family}" has no native encoder here: it runs padded, and slower')
    contents = replace(contents, weights=unused, notes=notes)  # the rest lives in the backbone
    return Encoder(contents=contents, backbone=backbone, tail=tail, tokenizer=tokenizer)


def _refuse_ids_without_row(rust: RustTokenizer, contents: ModelFolder, where: str) -> None:
    rows = int(contents.config["vocab_size"])
    largest = max(rust.get_vocab().values(), default=-1)
    if largest >= rows:
        token = rust.id_to_token(largest)
        problem = f'the tokenizer has the token "{token}" with id {largest}, the table {rows} rows'
        mend = "copy the folder again: its tokenizer belongs to another table"
        raise InputError(problem, mend=mend, where=Where(path=f"{where}/{FAST}"))


def parameters(encoder: Encoder) -> dict[str, nn.Parameter]:
    """The trainable parameters by name, backbone first."""
    return dict(encoder.module.named_parameters())


def load_weights(encoder: Encoder, folder: Path) -> None:
    """Put the weights of a saved encoder of the same shape into this one, in place."""
    found = from_contents(read_folder(folder), where=str(folder))
    copy_weights(encoder.module, found.module)
