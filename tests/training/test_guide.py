"""A second model embeds the texts of a batch, in its own way, and is left as it was."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from conftest import make_folder
from likewise.data.dataset import Dataset
from likewise.losses import LOSSES
from likewise.losses.spec import Layout
from likewise.models.build import load
from likewise.models.encoder import Encoder
from likewise.training.batch import Batch, collate
from likewise.training.examples import build_examples
from likewise.training.guide import Guide, embed_guide
from likewise.training.objective import objective_of
from training.small_runs import (
    Log,
    distilled,
    labelled,
    make_data,
    make_fit,
    pairs,
    same_weights,
    triplets,
    weights,
)

WIDTH = 24  # of the guide; the student's is 32


@pytest.fixture(scope="module")
def _guide_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another model: narrower, and with another number for every word."""
    folder = make_folder(tmp_path_factory.mktemp("guide") / "guide", width=WIDTH)
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    words = [word for word in vocabulary if not word.startswith("[")]
    numbers = [vocabulary[word] for word in words]
    vocabulary.update(zip(words, reversed(numbers), strict=True))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    return folder


@pytest.fixture
def guide(_guide_folder: Path) -> Encoder:
    return load(_guide_folder, device="cpu")


def guided(
    encoder: Encoder, guide: Guide, data: Dataset, *, layout: Layout = "rows"
) -> tuple[Batch, Batch]:
    """A batch of all rows, without the guide and with it."""
    examples = build_examples(encoder, data)
    rows = np.arange(len(data))
    batch = collate(examples, rows, layout=layout, device=torch.device("cpu"), step=3)
    return batch, embed_guide(guide, batch, examples, precision="float32")


def vectors(guide: Encoder, texts: list[str], prompt: str | None = None) -> Tensor:
    return torch.from_numpy(guide.encode(texts, prompt=prompt, precision="float32"))


def assert_close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_every_text_has_the_guides_own_vector(tiny_encoder: Encoder, guide: Encoder):
    data = triplets(6)
    _, batch = guided(tiny_encoder, guide, data, layout="contrast")
    assert_close(batch.guides["anchor"], vectors(guide, data.texts("anchor")))
    assert_close(batch.guides["positive"], vectors(guide, data.texts("positive")))
    flat = [text for texts in data.text_lists("negative") for text in texts]
    assert_close(batch.guides["negative"], vectors(guide, flat))


def test_they_are_not_what_the_student_makes_of_them(tiny_encoder: Encoder, guide: Encoder):
    data = pairs(4)
    ids, own = (
        model.tokenizer.tokenize(data.texts("anchor")).ids for model in (tiny_encoder, guide)
    )
    assert not np.array_equal(ids[0], own[0])  # or the test before would prove little
    _, batch = guided(tiny_encoder, guide, data)
    assert batch.guides["anchor"].shape == (4, WIDTH)
    assert tiny_encoder.dimensions != WIDTH


@pytest.mark.parametrize(
    ("make", "layout"),
    [
        (pairs, "contrast"),
        (triplets, "contrast"),
        (triplets, "triplets"),
        (distilled, "candidates"),
        (labelled, "rows"),
    ],
)
def test_they_come_in_the_shape_of_the_picks(
    tiny_encoder: Encoder, guide: Encoder, make: Callable[[int], Dataset], layout: Layout
):
    _, batch = guided(tiny_encoder, guide, make(5), layout=layout)
    assert batch.guides.keys() == batch.picks.keys()
    for role, picks in batch.picks.items():
        assert batch.guides[role].shape == (*picks.shape, WIDTH)
        assert batch.guides[role].dtype == torch.float32


def test_candidates_have_theirs_place_by_place(tiny_encoder: Encoder, guide: Encoder):
    data = distilled(3)
    _, batch = guided(tiny_encoder, guide, data, layout="candidates")
    for i, negatives in enumerate(data.text_lists("negative")):
        texts = [data.texts("positive")[i], *negatives]
        assert_close(batch.guides["candidates"][i], vectors(guide, texts))


def test_a_repeated_text_has_one_vector(tiny_encoder: Encoder, guide: Encoder):
    data = make_data("pairs", anchor=["apple", "river", "apple"], positive=["a", "b", "apple"])
    _, batch = guided(tiny_encoder, guide, data)
    assert torch.equal(batch.guides["anchor"][0], batch.guides["anchor"][2])
    assert_close(batch.guides["positive"][2], batch.guides["anchor"][0])


def test_the_guide_has_its_own_prompts(tiny_encoder: Encoder, guide: Encoder):
    """And the student's stay its own."""
    tiny_encoder.contents = replace(tiny_encoder.contents, prompts={"query": "nobody: "})
    prompts = {"query": "how do: ", "document": "a guide: "}
    guide.contents = replace(guide.contents, prompts=prompts)
    data = pairs(4)
    _, batch = guided(tiny_encoder, guide, data, layout="contrast")
    assert_close(batch.guides["anchor"], vectors(guide, data.texts("anchor"), "query"))
    assert_close(batch.guides["positive"], vectors(guide, data.texts("positive"), "document"))


def test_texts_that_are_not_searched_get_the_guides_default_prompt(
    tiny_encoder: Encoder, guide: Encoder
):
    guide.contents = replace(guide.contents, prompts={"plain": "the: "}, default_prompt="plain")
    data = labelled(4)
    _, batch = guided(tiny_encoder, guide, data)
    assert_close(batch.guides["text"], vectors(guide, data.texts("text"), "plain"))


def test_nothing_else_of_the_batch_changes(tiny_encoder: Encoder, guide: Encoder):
    before, after = guided(tiny_encoder, guide, triplets(5), layout="contrast")
    assert replace(after, guides=before.guides) == before
    assert before.guides == {}


def test_nothing_of_the_guide_changes_in_training(
    tiny_encoder: Encoder, guide: Encoder, tmp_path: Path
):
    before, log = weights(guide), Log()
    objective = objective_of(LOSSES["gist"], guide=guide)
    make_fit(tiny_encoder, tmp_path, observers=[log], epochs=2)(pairs(24), objective)
    assert len(log.steps) == 12
    assert log.steps[0].loss > 0
    assert same_weights(weights(guide), before)
    assert all(parameter.grad is None for parameter in guide.module.parameters())
    assert not any(module.training for module in guide.module.modules())


def test_a_guide_decides_what_is_learnt(new_encoder, guide: Encoder, tmp_path: Path):
    trained = []
    for name, judge in (("other", guide), ("itself", new_encoder())):
        encoder = new_encoder()
        make_fit(encoder, tmp_path / name)(pairs(24), objective_of(LOSSES["gist"], guide=judge))
        trained.append(weights(encoder))
    assert not same_weights(*trained)


class Counting:
    """A guide of another make: a vector of how many letters and words a text has."""

    prompts: ClassVar[dict[str, str]] = {}

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def prompt_text(self, prompt: str | None) -> str:
        return ""

    def encode(
        self, texts: Sequence[str], *, prompt: str | None = None, precision: str = "auto"
    ) -> NDArray[np.float32]:
        self.asked.add(precision)
        return np.array([[len(text), text.count(" ")] for text in texts], dtype=np.float32)


@pytest.mark.parametrize("precision", ["auto", "float32", "bfloat16"])
def test_a_guide_computes_in_the_precision_of_the_run(
    tiny_encoder: Encoder, tmp_path: Path, precision: str
):
    judge = Counting()
    objective = objective_of(LOSSES["gist"], guide=judge)
    make_fit(tiny_encoder, tmp_path, precision=precision, epochs=0.2)(pairs(24), objective)
    assert judge.asked == {precision}
