"""MTEB's side of a model: what its tasks ask, answered by the same `encode` and `predict`.

MTEB 2 asks with batches of texts and the metadata of a task, where everybody else asks with texts;
which of the two it is shows in the argument `task_metadata`.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, TypeAlias, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from likewise.errors import InputError
from likewise.models.prompts import task_prompt

Asked = TypeVar("Asked", bound=Callable[..., Any])
Batches: TypeAlias = Iterable[Mapping[str, Any]]
ENCODE_OPTIONS = ("batch_size", "show_progress_bar", "precision")
PRECISIONS = ("float32", "bfloat16")


def answers_mteb(method: Asked) -> Asked:
    """Let `Encoder.encode` answer MTEB's tasks as well; texts go to the method itself."""

    @wraps(method)
    def encode(self: Any, *given: Any, **options: Any) -> Any:
        if "task_metadata" not in options:
            return method(self, *given, **options)
        inputs = given[0] if given else options.pop("inputs")
        return encode_for_mteb(self, inputs, **options)

    return cast("Asked", encode)


def answers_mteb_pairs(method: Asked) -> Asked:
    """Let `CrossEncoder.predict` answer MTEB's tasks as well; pairs go to the method itself."""

    @wraps(method)
    def predict(self: Any, *given: Any, **options: Any) -> Any:
        if "task_metadata" not in options:
            return method(self, *given, **options)
        left, right = (*given, *(options.pop(k) for k in ("inputs1", "inputs2") if k in options))
        return predict_for_mteb(self, left, right, **options)

    return cast("Asked", predict)


def encode_for_mteb(
    encoder: Any,
    inputs: Batches,
    *,
    task_metadata: Any,
    hf_split: str = "",
    hf_subset: str = "",
    prompt_type: Any = None,
    **options: Any,
) -> NDArray[np.float32]:
    """Embed the texts of a task, as MTEB's EncoderProtocol asks for it.

    Args:
        encoder: with `encode` and `prompts`.
        inputs: batches with a list under "text"; all of them are encoded together, so that
            `batch_size` does not matter.
        task_metadata: whose name and type choose the prompt, the most special first.
        hf_split: not needed.
        hf_subset: not needed.
        prompt_type: query, document, or None.
        options: MTEB's encode_kwargs. `precision` is "float32", the default, as scores are there
            to be compared, or "bfloat16".

    Returns:
        [n, D] float32.

    Raises:
        InputError: the task has something other than texts, or an option is not known.
    """
    del hf_split, hf_subset
    precision, progress = _options(options)
    prompt = task_prompt(
        encoder.prompts,
        task=str(task_metadata.name),
        task_type=str(task_metadata.type),
        role=None if prompt_type is None else prompt_type.value,
    )
    texts = _texts(inputs)
    vectors: NDArray[np.float32] = encoder.encode(
        texts, prompt=prompt, precision=precision, progress=progress
    )
    return vectors


def predict_for_mteb(
    model: Any,
    inputs1: Batches,
    inputs2: Batches,
    *,
    task_metadata: Any,
    hf_split: str = "",
    hf_subset: str = "",
    prompt_type: Any = None,
    **options: Any,
) -> NDArray[np.float32]:
    """Score the pairs of a task, as MTEB's CrossEncoderProtocol asks for it.

    Args:
        model: with `predict`; its own prompt goes before the first text, as always.
        inputs1: batches with a list under "text".
        inputs2: as many of them.
        task_metadata: not needed, as a cross-encoder has one prompt.
        hf_split: likewise.
        hf_subset: likewise.
        prompt_type: likewise.
        options: as for `encode_for_mteb`.

    Returns:
        [n] float32.

    Raises:
        InputError: the task has something other than texts, an option is not known, or the model
            answers with classes, which rank nothing.
    """
    del task_metadata, hf_split, hf_subset, prompt_type
    precision, progress = _options(options)
    if model.classes != 1:
        problem = f"this cross-encoder answers with {model.classes} classes, and a task needs one"
        raise InputError(problem, mend="give a cross-encoder that was trained on scores or labels")
    pairs = list(zip(_texts(inputs1), _texts(inputs2), strict=True))
    scores: NDArray[np.float32] = model.predict(pairs, precision=precision, progress=progress)
    return scores


def to_matrix(vectors: Any) -> NDArray[np.float32]:
    """MTEB's embeddings, of torch or NumPy, as [n, D] float32; a single one is [1, D]."""
    if hasattr(vectors, "detach"):
        vectors = vectors.detach().cpu().float().numpy()
    return np.atleast_2d(np.asarray(vectors, dtype=np.float32))


def _options(options: Mapping[str, Any]) -> tuple[str, bool]:
    unknown = options.keys() - set(ENCODE_OPTIONS)
    if unknown:
        problem = f"encode_kwargs: there is no {', '.join(sorted(unknown))}"
        raise InputError(problem, mend=f"one of: {', '.join(ENCODE_OPTIONS)}")
    precision = str(options.get("precision") or PRECISIONS[0])
    if precision not in PRECISIONS:
        problem = f'encode_kwargs: precision is "float32" or "bfloat16", found "{precision}"'
        raise InputError(problem, mend="leave it out for float32")
    return precision, bool(options.get("show_progress_bar", False))


def _texts(inputs: Batches) -> list[str]:
    texts: list[str] = []
    for batch in inputs:
        if "text" not in batch:
            problem = f"expected texts, the task has {', '.join(batch)}"
            raise InputError(problem, mend="choose a task whose modality is text")
        texts += batch["text"]
    return texts
