"""An embedding model: texts to packed streams to hidden states to one vector a text."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from likewise.errors import InputError
from likewise.models.architectures import ARCHITECTURES, Architecture
from likewise.models.architectures.names import to_checkpoint
from likewise.models.determinism import repeatable
from likewise.models.device import choose_hardware
from likewise.models.folder.contents import ModelFolder, TailModule
from likewise.models.folder.tokenizer_files import unknown_id
from likewise.models.folder.write import write_folder
from likewise.models.heads import tail_weights
from likewise.models.int8 import INT8, quantised
from likewise.models.matmul import keep_reordered
from likewise.models.memory import settle_memory
from likewise.models.mteb_meta import encoder_meta
from likewise.models.mteb_protocol import answers_mteb, to_matrix
from likewise.models.pooling import pool
from likewise.models.similarity import similarity, similarity_by_pair
from likewise.progress import progress as show_progress
from likewise.text.batches import batches_by_tokens
from likewise.text.packed import Packed, filled, pack
from likewise.text.tokenizer import Tokenized, Tokenizer

BATCH_TOKENS = 4096  # fills two cores' caches with a MiniLM; more brings no speed there
GPU_BATCH_TOKENS = 32_768  # a GPU is idle for most of a smaller batch

Item = TypeVar("Item")


def architecture_of(contents: ModelFolder) -> Architecture:
    """The native family of a model, or the padded one through transformers."""
    family = str(contents.config.get("model_type"))
    return ARCHITECTURES[family if family in ARCHITECTURES else "padded"]


class Encoder:
    """A text embedding model; loads from and saves to a sentence-transformers folder.

    Attributes:
        contents: what its folder holds besides the weights that are trained.
        backbone: packed streams to hidden states [T, H].
        tail: what follows the pooling: dense layers, normalisation.
        tokenizer: texts to ids, with the length limit.
        notes: what loading had to decide, for the user to see.
    """

    def __init__(
        self, *, contents: ModelFolder, backbone: nn.Module, tail: nn.Module, tokenizer: Tokenizer
    ) -> None:
        """Compose the parts; `likewise.load` reads them from a folder."""
        settle_memory()
        self.contents = contents
        self.backbone = backbone
        self.tail = tail
        self.tokenizer = tokenizer
        self._int8: tuple[tuple[tuple[int, int], ...], nn.Module] | None = None  # of which weights
        self._meta: tuple[Any, Any] | None = None  # of which weights and settings
        self.notes: tuple[str, ...] = tuple(contents.notes)
        self.module = nn.ModuleDict({"backbone": backbone, "tail": tail}).eval()

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.module.parameters()).device

    @property
    def max_tokens(self) -> int:
        """Longest text in tokens, special ones included; longer texts are cut and counted."""
        return self.tokenizer.max_tokens

    @property
    def dimensions(self) -> int:
        """D, the width of a vector."""
        probe = pack([[self.tokenizer.empty_id]]).to(self.device)
        with torch.inference_mode():
            return int(self.embed(probe).shape[1])

    @property
    def learning_rate(self) -> float:
        """Peak rate that suits this family of models, for training where none is given."""
        return architecture_of(self.contents).learning_rate

    @property
    def prompts(self) -> dict[str, str]:
        """Prompt texts by name, such as "query" and "document"."""
        return self.contents.prompts

    def embed(self, packed: Packed, *, dtype: torch.dtype = torch.float32) -> Tensor:
        """Embed a packed stream, with gradients where they are enabled.

        Args:
            packed: S texts, on this encoder's device.
            dtype: of the arithmetic in the backbone.

        Returns:
            [S, D] float32.
        """
        return self._embed(self.backbone, packed, dtype)

    def _embed(self, backbone: nn.Module, packed: Packed, dtype: torch.dtype) -> Tensor:
        stream, filler = filled(packed, self.tokenizer.empty_id, longest=self.max_tokens)
        return self._vectors(backbone(stream, dtype=dtype), stream, filler)

    def arithmetic(self, precision: str = "auto") -> tuple[nn.Module, torch.dtype]:
        """What computes hidden states at a precision, and the dtype of its stream.

        Args:
            precision: as in `encode`.

        Raises:
            InputError: no such precision, or int8 where it cannot be had.
        """
        if precision != INT8:
            return self.backbone, choose_hardware(self.device, precision).dtype
        state = tuple((id(p), p._version) for p in self.backbone.parameters())
        if self._int8 is None or self._int8[0] != state:
            self._int8 = (state, quantised(self.backbone))
        return self._int8[1], choose_hardware(self.device).dtype

    def embed_layers(self, packed: Packed, *, dtype: torch.dtype = torch.float32) -> Tensor:
        """Embed a packed stream at every layer, each as if it were the last.

        Args:
            packed: S texts, on this encoder's device.
            dtype: of the arithmetic in the backbone.

        Returns:
            [S, L * D] float32: the vectors of the first of L layers, then those of the next; the
            last D of them are what `embed` gives.

        Raises:
            InputError: the family has no layers of ours to look into.
        """
        layers = getattr(self.backbone, "layers", None)
        if not isinstance(layers, nn.ModuleList):
            family = self.contents.config.get("model_type")
            problem = f'the layers of "{family}" cannot be trained one by one here'
            raise InputError(problem, mend="leave out --adaptive-layers, or take another base")
        stream, filler = filled(packed, self.tokenizer.empty_id, longest=self.max_tokens)
        found: list[Tensor] = []
        hooks = [
            layer.register_forward_hook(lambda _module, _given, out: found.append(out))
            for layer in layers[:-1]
        ]
        try:
            found.append(self.backbone(stream, dtype=dtype))
        finally:
            for hook in hooks:
                hook.remove()
        return torch.cat([self._vectors(hidden, stream, filler) for hidden in found], dim=1)

    def _vectors(self, hidden: Tensor, stream: Packed, filler: int | None) -> Tensor:
        """Pool the hidden states, the filler text left out, and put the tail behind: [S, D]."""
        pooled = pool(hidden, stream, self.contents.pooling.modes)
        if filler is not None:
            pooled = torch.cat([pooled[:filler], pooled[filler + 1 :]])
        vectors: Tensor = self.tail(pooled.float())
        return vectors

    @answers_mteb
    def encode(
        self,
        texts: Sequence[str],
        *,
        prompt: str | None = None,
        batch_tokens: int | None = None,
        precision: str = "auto",
        normalize: bool = False,
        dimensions: int | None = None,
        deterministic: bool = False,
        progress: bool = False,
    ) -> NDArray[np.float32]:
        """Encode texts; each distinct text is computed once, in the order of length.

        Args:
            texts: n texts, a list or any sequence of str.
            prompt: name of one of `prompts`, or the prompt's own text; None for the model's
                default prompt, if it has one.
            batch_tokens: tokens a batch; memory follows it, not the number of texts. Where None,
                4,096 on a CPU and 32,768 on a GPU.
            precision: "auto" (bfloat16 where the hardware has it), "float32", "bfloat16", or on a
                CPU "int8": matrices in 8-bit integers, less exact, and faster where the
                CPU has no bfloat16.
            normalize: scale every vector to length 1.
            dimensions: keep only the first so many (Matryoshka models).
            deterministic: compute each text by itself, so that its vector is the same bit for
                bit whatever it is encoded together with, on one machine with as many threads;
                several times slower. In a batch matmuls add up in an order that their number of
                rows decides, and in attention the padding does, which moves a vector by some
                1e-7 in float32.
            progress: show a bar.

        Returns:
            [n, D] float32.

        Raises:
            InputError: a single string instead of a list, or something that is no text; or
                `deterministic` on a GPU where cuBLAS was not told to be so.
        """
        _refuse_no_list(texts)
        arithmetic = self.arithmetic(precision)
        distinct = list(dict.fromkeys(texts))
        tokenized = self.tokenize(distinct, prompt=prompt)
        batches = self._batches(tokenized.lengths, batch_tokens, alone=deterministic)
        with repeatable(self.device, asked=deterministic):
            found = self._encode_distinct(tokenized, batches, arithmetic, progress)
        place = {text: i for i, text in enumerate(distinct)}
        vectors = found[[place[text] for text in texts]]
        kept = self.contents.truncate_dimensions if dimensions is None else dimensions
        return _finish(vectors, normalize, kept)

    def similarity(self, left: Any, right: Any) -> NDArray[np.float32]:
        """Compare every vector with every other one, as this model's vectors are compared.

        Args:
            left: [n, D], of NumPy or torch.
            right: [m, D].

        Returns:
            [n, m] float32; larger is more alike.
        """
        kind = self.contents.similarity
        return similarity(to_matrix(left), to_matrix(right), kind=kind).astype(np.float32)

    def similarity_pairwise(self, left: Any, right: Any) -> NDArray[np.float32]:
        """Compare row i with row i: [n] float32, as `similarity` does."""
        kind = self.contents.similarity
        return similarity_by_pair(to_matrix(left), to_matrix(right), kind=kind).astype(np.float32)

    @property
    def mteb_model_meta(self) -> Any:
        """The `ModelMeta` that mteb writes beside this model's results."""
        state = tuple((id(p), p._version) for p in self.module.parameters())
        if self._meta is None or self._meta[0] != (state, id(self.contents)):
            self._meta = ((state, id(self.contents)), encoder_meta(self))
        return self._meta[1]

    def count_cut(self, texts: Sequence[str], *, prompt: str | None = None) -> int:
        """How many of the texts are over the length limit, so that `encode` cuts their end."""
        front = self.prompt_text(prompt)
        return int((self.tokenizer.count([front + text for text in texts]) > self.max_tokens).sum())

    def count_unknown(self, texts: Sequence[str]) -> tuple[int, int]:
        """How many tokens of the texts the vocabulary lacks, and how many they have in all.

        Args:
            texts: a list or any sequence of str.
        """
        unknown = unknown_id(self.contents.files, where="the model")
        ids = self.tokenizer.tokenize(texts).ids
        missing = 0 if unknown is None else sum(int((text == unknown).sum()) for text in ids)
        return missing, sum(len(text) for text in ids)

    def tokenize(self, texts: Sequence[str], *, prompt: str | None = None) -> Tokenized:
        """Token ids with the prompt (by name, or its text) in front."""
        return self.tokenizer.tokenize(texts, prompt=self.prompt_text(prompt))

    def prompt_text(self, prompt: str | None) -> str:
        """The text of a prompt given by name, by its own text, or None for the default."""
        if prompt is None:
            prompt = self.contents.default_prompt
        return "" if prompt is None else self.prompts.get(prompt, prompt)

    def pack(self, tokenized: Tokenized, indices: Sequence[int] | NDArray[np.int64]) -> Packed:
        """Join some of the tokenised texts into one stream on this encoder's device."""
        packed = pack([tokenized.ids[i] for i in indices])
        if tokenized.prompt_tokens and not self.contents.pooling.include_prompt:
            packed = replace(packed, pooled=packed.positions() >= tokenized.prompt_tokens)
        return packed.to(self.device)

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write a sentence-transformers folder, atomically.

        Raises:
            InputError: the folder exists and `overwrite` is False.
        """
        target = Path(path)
        write_folder(target, self.to_contents(), overwrite=overwrite)
        return target

    def to_contents(self) -> ModelFolder:
        """The folder's contents with the weights as they are now, under the checkpoint's names."""
        contents = self.contents
        names = architecture_of(contents).names(contents.config)
        trained = to_checkpoint(self.backbone.state_dict(), names)
        tail = tuple(
            TailModule(kind=module.kind, config=module.config, weights=weights)
            for module, weights in zip(contents.tail, tail_weights(self.tail), strict=True)
        )
        weights = {**contents.weights, **trained}
        return replace(contents, weights=weights, tail=tail, max_tokens=self.max_tokens)

    def _batches(
        self, lengths: NDArray[np.int64], budget: int | None, *, alone: bool
    ) -> list[NDArray[np.int64]]:
        """Which texts are computed together, the longest first."""
        if alone:
            return list(np.argsort(-lengths, kind="stable")[:, None])
        if budget is None:
            budget = BATCH_TOKENS if self.device.type == "cpu" else GPU_BATCH_TOKENS
        return batches_by_tokens(lengths, budget)

    def _encode_distinct(
        self,
        tokenized: Tokenized,
        batches: list[NDArray[np.int64]],
        arithmetic: tuple[nn.Module, torch.dtype],
        progress: bool,
    ) -> NDArray[np.float32]:
        n = len(tokenized.ids)
        out: NDArray[np.float32] | None = None
        with (
            torch.inference_mode(),
            keep_reordered(),
            show_progress("encoding", n, shown=progress) as advance,
        ):
            for batch, vectors in _one_behind(self._computed(tokenized, batches, *arithmetic)):
                if out is None:
                    out = np.empty((n, vectors.shape[1]), dtype=np.float32)
                out[batch] = vectors.cpu().numpy()
                advance(len(batch))
        return np.empty((0, self.dimensions), dtype=np.float32) if out is None else out

    def _computed(
        self,
        tokenized: Tokenized,
        batches: list[NDArray[np.int64]],
        backbone: nn.Module,
        dtype: torch.dtype,
    ) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
        for batch in batches:
            batch = batch[::-1]  # shortest first, as attention wants it
            yield batch, self._embed(backbone, self.pack(tokenized, batch), dtype)


def _one_behind(items: Iterator[Item]) -> Iterator[Item]:
    """Hand each over when the next has been begun: a GPU works while the one is fetched."""
    waiting: deque[Item] = deque()
    for item in items:
        waiting.append(item)
        if len(waiting) > 1:
            yield waiting.popleft()
    yield from waiting


def _finish(
    vectors: NDArray[np.float32], normalize: bool, dimensions: int | None
) -> NDArray[np.float32]:
    """Keep the first dimensions, and scale to length 1, in this order."""
    if dimensions is not None:
        if not 1 <= dimensions <= vectors.shape[1]:
            problem = f"dimensions must be from 1 to {vectors.shape[1]}, found {dimensions}"
            raise InputError(problem, mend="choose fewer dimensions, or leave them all")
        vectors = vectors[:, :dimensions]
    if normalize:
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(min=1e-12)
    return np.ascontiguousarray(vectors, dtype=np.float32)


def _refuse_no_list(texts: Sequence[Any]) -> None:
    if isinstance(texts, str):
        raise InputError("expected a list of texts, found one string", mend='write ["…"]')
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            problem = f"text {i + 1} of {len(texts)} is {type(text).__name__}, expected str"
            raise InputError(problem, mend="give every text as str; leave out rows without one")
