"""Other models that a method learns from: guides, teachers, and what it takes to ask them."""

import copy
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from likewise.data.dataset import Dataset
from likewise.errors import InputError
from likewise.models.build import load
from likewise.models.cross_encoder import CrossEncoder, is_cross_encoder, load_cross_encoder
from likewise.models.encoder import Encoder
from likewise.training.fit import Fit
from likewise.training.guide import Guide

SAMPLE = 20_000  # texts from which the directions that matter are found


Teacher: TypeAlias = Encoder | CrossEncoder


def load_teacher(name: str) -> Teacher:
    """A bi-encoder or a cross-encoder, whichever the name leads to.

    Raises:
        InputError: there is no such model.
    """
    if is_cross_encoder(name):
        return load_cross_encoder(name)
    return load(name)


def refuse_classes(teacher: Teacher, name: str) -> None:
    """Refuse a cross-encoder that answers classes where a score is needed.

    Args:
        teacher: to be asked for scores.
        name: of it, for the error.

    Raises:
        InputError: it answers several numbers a pair.
    """
    if isinstance(teacher, CrossEncoder) and teacher.classes != 1:
        problem = f"{name} answers {teacher.classes} labels; a score is needed"
        raise InputError(problem, mend="name a cross-encoder that answers one number")


def load_guide(fit: Fit[Any], name: str, *, method: str) -> Encoder:
    """The model that judges negatives: the one named, or the base model as it is now.

    Args:
        fit: its encoder is copied where no name is given.
        name: what `likewise.load` takes; empty for the base model.
        method: for the error.

    Raises:
        InputError: it is a cross-encoder, which gives no vectors.
    """
    if not name:
        fit.note("the guide is the base model as it was before training")
        return frozen_copy(fit.encoder)
    teacher = load_teacher(name)
    if isinstance(teacher, CrossEncoder):
        problem = f"the method {method} needs a model that gives vectors; {name} scores pairs"
        taught = "give pairs, with --set loss=margin-mse"  # by its scores
        other = taught if method == "distillation" else "use --method distillation"
        raise InputError(problem, mend=f"name a bi-encoder, or {other}")
    return teacher


def frozen_copy(encoder: Encoder) -> Encoder:
    """The same model with weights of its own, which training does not change."""
    twin = copy.copy(encoder)
    twin.module = copy.deepcopy(encoder.module).eval().requires_grad_(False)
    twin.backbone, twin.tail = twin.module["backbone"], twin.module["tail"]
    return twin


class CosineScorer:
    """A bi-encoder in the place of a cross-encoder: the cosine of each pair."""

    def __init__(self, encoder: Encoder) -> None:
        """Score with this model's vectors, and its prompts "query" and "document"."""
        self.encoder = encoder

    def predict(
        self, pairs: Sequence[tuple[str, str]], *, precision: str = "auto"
    ) -> NDArray[np.float32]:
        """[n] cosines, from -1 to 1."""
        sides = []
        for i, name in enumerate(("query", "document")):
            prompt = name if name in self.encoder.prompts else None
            texts = [pair[i] for pair in pairs]
            sides.append(
                self.encoder.encode(texts, prompt=prompt, normalize=True, precision=precision)
            )
        cosines: NDArray[np.float32] = (sides[0] * sides[1]).sum(axis=1)
        return cosines


class Projected:
    """A teacher in the student's width, so that their vectors can be compared.

    A wider teacher keeps the directions in which its vectors of the data are longest (the leading
    eigenvectors of their second moments, not centred: so dot products are kept best); a narrower
    one gets zeros behind.
    """

    def __init__(self, teacher: Encoder, *, width: int, texts: Sequence[str]) -> None:
        """Find the directions.

        Args:
            teacher: frozen.
            width: D of the student.
            texts: of the data; a sample of them is embedded.
        """
        self.teacher = teacher
        self.width = width
        self.basis: NDArray[np.float32] | None = None
        if teacher.dimensions > width:
            step = max(len(texts) // SAMPLE, 1)
            vectors = teacher.encode(list(texts[::step]))
            _, axes = np.linalg.eigh(vectors.T.astype(np.float64) @ vectors)
            self.basis = np.ascontiguousarray(axes[:, ::-1][:, :width], dtype=np.float32)

    @property
    def prompts(self) -> dict[str, str]:
        """Those of the teacher."""
        return self.teacher.prompts

    def prompt_text(self, prompt: str | None) -> str:
        """As the teacher has it."""
        return self.teacher.prompt_text(prompt)

    def encode(
        self, texts: Sequence[str], *, prompt: str | None = None, precision: str = "auto"
    ) -> NDArray[np.float32]:
        """[n, D] float32 in the student's width."""
        vectors = self.teacher.encode(texts, prompt=prompt, precision=precision)
        if self.basis is not None:
            return vectors @ self.basis
        return np.pad(vectors, ((0, 0), (0, self.width - vectors.shape[1])))


def load_vectors_of(
    fit: Fit[Any], name: str, data: Dataset, *, method: str, option: str = "guide"
) -> Guide:
    """A teacher whose vectors the student is to match, in the student's width.

    Args:
        fit: its encoder is the student.
        name: what `likewise.load` takes.
        data: whose texts say which directions of a wider teacher matter.
        method: for errors.
        option: that names the teacher, for errors.

    Raises:
        InputError: none is named, or it is a cross-encoder.
    """
    if not name:
        problem = f"the method {method} learns from another model, and none was named"
        raise InputError(problem, mend=f"name it with --set {option}=MODEL")
    teacher = load_guide(fit, name, method=method)
    width, own = fit.encoder.dimensions, teacher.dimensions
    if own == width:
        return teacher
    how = "its leading directions" if own > width else "zeros behind its own"
    fit.note(f"the teacher's vectors have {own} dimensions, the student's {width}: {how}")
    return Projected(teacher, width=width, texts=data.all_texts())
