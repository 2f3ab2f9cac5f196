"""A cross-encoder: both texts of a pair in one sequence, to one score or one logit a class."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from likewise.errors import InputError
from likewise.models.activations import activate, find_score_activation
from likewise.models.architectures.classified import classes_of, classified_names
from likewise.models.architectures.names import to_checkpoint
from likewise.models.build import load
from likewise.models.checkpoint_weights import copy_weights
from likewise.models.cross_build import parts_of_folder, parts_over_encoder
from likewise.models.device import choose_device, choose_hardware
from likewise.models.encoder import Encoder
from likewise.models.folder.cross_encoder import (
    CrossEncoderFolder,
    is_cross_encoder_folder,
    read_cross_encoder,
)
from likewise.models.folder.cross_write import labels_of, write_cross_encoder
from likewise.models.matmul import keep_reordered
from likewise.models.memory import settle_memory
from likewise.models.mteb_meta import cross_encoder_meta
from likewise.models.mteb_protocol import answers_mteb_pairs
from likewise.models.source import HUB_NAME, resolve_model
from likewise.progress import progress as show_progress
from likewise.text.batches import batches_by_tokens
from likewise.text.packed import Packed, filled
from likewise.text.pairs import PairTokenizer, TokenizedPairs

BATCH_TOKENS = 4096  # fills two cores' caches with a MiniLM; more brings no speed there


class CrossEncoder:
    """Scores pairs of texts; loads from and saves to a sentence-transformers CrossEncoder folder.

    Attributes:
        contents: what its folder holds besides the weights that are trained.
        module: encoder and classification head, packed streams to logits.
        pairs: two texts to one sequence of ids, with the length limit.
        notes: what loading had to decide, for the user to see.
    """

    def __init__(
        self, *, contents: CrossEncoderFolder, module: nn.Module, pairs: PairTokenizer
    ) -> None:
        """Compose the parts; `load_cross_encoder` reads them from a folder."""
        settle_memory()
        self.contents = contents
        self.module = module.eval()
        self.pairs = pairs
        self._meta: tuple[Any, Any] | None = None  # of which weights and settings
        self.notes: tuple[str, ...] = contents.notes

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.module.parameters()).device

    @property
    def max_tokens(self) -> int:
        """Longest pair in tokens, special ones included; longer pairs are cut and counted."""
        return self.pairs.max_tokens

    @property
    def classes(self) -> int:
        """K, the logits of a pair; 1 for a score."""
        return classes_of(self.contents.config)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes in the order of the logits; none where nobody named them."""
        return labels_of(self.contents.config)

    @property
    def activation(self) -> str:
        """What `predict` puts on the logits: "sigmoid", "identity", "softmax" or another."""
        return self.contents.activation

    @property
    def prompt(self) -> str:
        """What `predict` puts before the first text of a pair: the folder's default prompt."""
        name = self.contents.default_prompt
        return "" if name is None else self.contents.prompts[name]

    def embed(self, packed: Packed, *, dtype: torch.dtype = torch.float32) -> Tensor:
        """The logits of a packed stream of pairs, with gradients where they are enabled.

        Args:
            packed: S pairs, on this model's device, as `pairs.pack` makes them.
            dtype: of the arithmetic in the encoder.

        Returns:
            [S, K] float32.
        """
        stream, filler = filled(packed, self.pairs.empty_id, longest=self.max_tokens)
        logits: Tensor = self.module(stream, dtype=dtype)
        if filler is None:
            return logits
        return torch.cat([logits[:filler], logits[filler + 1 :]])

    @answers_mteb_pairs
    def predict(
        self,
        pairs: Sequence[Sequence[str]],
        *,
        batch_tokens: int = BATCH_TOKENS,
        precision: str = "auto",
        activation: str | None = None,
        progress: bool = False,
    ) -> NDArray[np.float32]:
        """Score pairs; each distinct pair is computed once, in the order of length.

        Args:
            pairs: n pairs, each two texts.
            batch_tokens: tokens a batch; memory follows it, not the number of pairs.
            precision: "auto" (bfloat16 where the hardware has it), "float32" or "bfloat16".
            activation: "sigmoid", "identity", "softmax" or another of torch.nn in lower case;
                None for the model's own.
            progress: show a bar.

        Returns:
            [n] float32 for a model with one class, else [n, K].

        Raises:
            InputError: something is no pair of texts, or there is no such activation.
        """
        asked = check_pairs(pairs)
        chosen = self.activation if activation is None else find_score_activation(activation)
        dtype = choose_hardware(self.device, precision).dtype
        distinct = list(dict.fromkeys(asked))
        tokenized = self.pairs.tokenize_pairs(self._prompted(distinct))
        logits = self._predict_distinct(tokenized, batch_tokens, dtype, progress)
        scores = activate(torch.from_numpy(logits), chosen).numpy()
        place = {pair: i for i, pair in enumerate(distinct)}
        found: NDArray[np.float32] = scores[[place[pair] for pair in asked]]
        return found[:, 0] if self.classes == 1 else found

    @property
    def mteb_model_meta(self) -> Any:
        """The `ModelMeta` that mteb writes beside this model's results."""
        state = tuple((id(p), p._version) for p in self.module.parameters())
        if self._meta is None or self._meta[0] != (state, id(self.contents)):
            self._meta = ((state, id(self.contents)), cross_encoder_meta(self))
        return self._meta[1]

    def count_cut(self, pairs: Sequence[Sequence[str]]) -> int:
        """How many of the pairs are over the length limit, so that `predict` cuts them."""
        return self.pairs.tokenize_pairs(self._prompted(check_pairs(pairs))).cut

    def pack(self, tokenized: TokenizedPairs, indices: Sequence[int] | NDArray[np.int64]) -> Packed:
        """Join some of the tokenised pairs into one stream on this model's device."""
        ids = [tokenized.ids[i] for i in indices]
        return self.pairs.pack(ids, tokenized.seconds[indices]).to(self.device)

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write a CrossEncoder folder, atomically.

        Raises:
            InputError: the folder exists and `overwrite` is False.
        """
        target = Path(path)
        write_cross_encoder(target, self.to_contents(), overwrite=overwrite)
        return target

    def to_contents(self) -> CrossEncoderFolder:
        """The folder's contents with the weights as they are now, under the checkpoint's names."""
        names = classified_names(self.contents.config)
        trained = to_checkpoint(self.module.state_dict(), names)
        weights = {**self.contents.weights, **trained}
        return replace(self.contents, weights=weights, max_tokens=self.max_tokens)

    def _prompted(self, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        if not self.prompt:
            return pairs
        return [(self.prompt + first, second) for first, second in pairs]

    def _predict_distinct(
        self, tokenized: TokenizedPairs, budget: int, dtype: torch.dtype, progress: bool
    ) -> NDArray[np.float32]:
        out = np.empty((len(tokenized.ids), self.classes), dtype=np.float32)
        with (
            torch.inference_mode(),
            keep_reordered(),
            show_progress("scoring", len(tokenized.ids), shown=progress) as advance,
        ):
            for batch in batches_by_tokens(tokenized.lengths, budget):
                batch = batch[::-1]  # shortest first, as attention wants it
                logits = self.embed(self.pack(tokenized, batch), dtype=dtype)
                out[batch] = logits.cpu().numpy()
                advance(len(batch))
        return out


def load_cross_encoder(name: str | Path, *, device: str = "auto") -> CrossEncoder:
    """Load a model that scores pairs.

    Args:
        name: a folder of sentence-transformers' CrossEncoder or of transformers'
            `…ForSequenceClassification`, "hub:ORG/NAME", or a bare "ORG/NAME".
        device: "auto" (CUDA, then MPS, then CPU) or a device's name.

    Raises:
        InputError: there is no such model, it is of another kind, or its folder is damaged.
        MissingExtra: the package that brings the model is not installed.
    """
    folder = resolve_model(str(name))
    parts = parts_of_folder(read_cross_encoder(folder), where=str(folder))
    parts.module.to(choose_device(device))
    return CrossEncoder(contents=parts.contents, module=parts.module, pairs=parts.pairs)


def is_cross_encoder(name: str | Path) -> bool:
    """Whether a model's name stands for one that scores pairs; an embedding model does not.

    Args:
        name: as for `load_cross_encoder`; a name of any other form is none.

    Raises:
        InputError: the folder is damaged, or the hub has no such model.
    """
    path = Path(name).expanduser()
    text = str(name)
    if path.is_dir():
        return is_cross_encoder_folder(path)
    if text.startswith("hub:") or (HUB_NAME.fullmatch(text) and not path.exists()):
        return is_cross_encoder_folder(resolve_model(text))
    return False


def from_encoder(
    encoder: Encoder | str | Path, *, classes: int, labels: Sequence[str] = (), seed: int = 0
) -> CrossEncoder:
    """A new cross-encoder: the encoder of an embedding model, its weights copied, a fresh head.

    Args:
        encoder: an embedding model, or its name.
        classes: K, logits a pair; 1 for scores.
        labels: names of the classes.
        seed: of the head's weights.

    Raises:
        InputError: there is no such model, or its family has no classification head.
        ValueError: fewer than one class, or another number of names than of classes.
    """
    if classes < 1 or len(labels) not in {0, classes}:
        raise ValueError(f"expected {classes} classes and names of them, found {labels}")
    source = load(encoder) if isinstance(encoder, str | Path) else encoder
    contents = source.to_contents()
    if isinstance(encoder, str) and not Path(encoder).expanduser().is_dir():
        contents = replace(contents, base_model=encoder.removeprefix("hub:"))
    parts = parts_over_encoder(contents, classes=classes, labels=tuple(labels), seed=seed)
    parts.module.to(source.device)
    return CrossEncoder(contents=parts.contents, module=parts.module, pairs=parts.pairs)


def load_cross_weights(model: CrossEncoder, folder: Path) -> None:
    """Put the weights of a saved cross-encoder of the same shape into this one, in place."""
    found = parts_of_folder(read_cross_encoder(folder), where=str(folder))
    copy_weights(model.module, found.module)


def check_pairs(pairs: Sequence[Any]) -> list[tuple[str, str]]:
    """Each pair as a tuple of two texts.

    Raises:
        InputError: one of them is not; names it.
    """
    mend = 'write [("a text", "another"), …]'
    if isinstance(pairs, str):
        raise InputError("expected a list of pairs, found one string", mend=mend)
    checked: list[tuple[str, str]] = []
    for i, pair in enumerate(pairs):
        is_two = isinstance(pair, Sequence | np.ndarray) and not isinstance(pair, str | bytes)
        if not is_two or len(pair) != 2 or not all(isinstance(text, str) for text in pair):
            problem = f"pair {i + 1} of {len(pairs)} is {_what(pair)}, expected two texts"
            raise InputError(problem, mend=mend)
        checked.append((pair[0], pair[1]))
    return checked


def _what(pair: Any) -> str:
    if isinstance(pair, Sequence) and not isinstance(pair, str | bytes):
        return f"{type(pair).__name__} of ({', '.join(type(part).__name__ for part in pair)})"
    return type(pair).__name__
