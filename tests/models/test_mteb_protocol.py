"""What mteb asks and what a model is asked of it; the scores are held to the peer in parity/."""

import inspect
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from likewise.errors import InputError, MissingExtra
from likewise.models.cross_encoder import CrossEncoder, from_encoder
from likewise.models.encoder import Encoder
from likewise.models.mteb_protocol import answers_mteb, encode_for_mteb, to_matrix

TASK = SimpleNamespace(name="NQ", type="Retrieval")
QUERY = SimpleNamespace(value="query")
BATCHES = [{"text": ["an apple", "a river"]}, {"text": ["a bridge"]}]


class Recorder:
    """Notes what it is asked, and answers with zeros."""

    def __init__(self, **prompts: str) -> None:
        self.prompts = prompts
        self.asked: list[tuple[list[str], dict]] = []

    @answers_mteb
    def encode(self, texts, **options):
        self.asked.append((texts, options))
        return np.zeros((len(texts), 4), dtype=np.float32)


def test_all_batches_are_encoded_together_with_the_prompt_of_the_task():
    model = Recorder(query="ask: ", document="text: ")
    vectors = model.encode(
        BATCHES, task_metadata=TASK, hf_split="test", hf_subset="default", prompt_type=QUERY,
        batch_size=2,
    )  # fmt: skip
    assert vectors.shape == (3, 4)
    expected = {"prompt": "query", "precision": "float32", "progress": False}
    assert model.asked == [(["an apple", "a river", "a bridge"], expected)]


def test_texts_go_to_the_method_itself():
    model = Recorder()
    model.encode(["an apple"], normalize=True)
    assert model.asked == [(["an apple"], {"normalize": True})]


@pytest.mark.parametrize("owner", [(Encoder, "encode"), (CrossEncoder, "predict")])
def test_the_signature_is_still_that_for_texts(owner):
    names = inspect.signature(getattr(*owner)).parameters
    assert "task_metadata" not in names
    assert "precision" in names


def test_a_misspelt_option_is_still_refused(tiny_encoder):
    with pytest.raises(TypeError, match="normalise"):
        tiny_encoder.encode(["an apple"], normalise=True)


def test_vectors_are_those_of_encode(tiny_encoder):
    texts = [text for batch in BATCHES for text in batch["text"]]
    found = tiny_encoder.encode(inputs=BATCHES, task_metadata=TASK, show_progress_bar=False)
    assert np.array_equal(found, tiny_encoder.encode(texts, precision="float32"))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"max_length": 3}, "there is no max_length"),
        ({"precision": "int8"}, 'precision is "float32" or "bfloat16", found "int8"'),
    ],
)
def test_an_option_that_cannot_be_heeded_is_refused(options, told):
    with pytest.raises(InputError, match=told):
        encode_for_mteb(Recorder(), BATCHES, task_metadata=TASK, **options)


def test_pictures_are_refused():
    with pytest.raises(InputError, match="expected texts, the task has image"):
        encode_for_mteb(Recorder(), [{"image": [1]}], task_metadata=TASK)


def test_a_cross_encoder_scores_the_pairs_of_two_loaders(tiny_encoder):
    model = from_encoder(tiny_encoder, classes=1)
    right = [{"text": ["a letter", "an engine", "a violin"]}]
    found = model.predict(BATCHES, right, task_metadata=TASK, hf_split="test", batch_size=2)
    pairs = [("an apple", "a letter"), ("a river", "an engine"), ("a bridge", "a violin")]
    assert np.array_equal(found, model.predict(pairs, precision="float32"))


def test_a_cross_encoder_of_classes_ranks_nothing(tiny_encoder):
    model = from_encoder(tiny_encoder, classes=3)
    with pytest.raises(InputError, match="answers with 3 classes"):
        model.predict(BATCHES, BATCHES, task_metadata=TASK)


@pytest.mark.parametrize("kind", [torch.tensor, np.array])
def test_similarity_is_the_model_s_own_for_torch_and_numpy(kind, tiny_encoder):
    left, right = kind([[3.0, 4.0], [1.0, 0.0]]), kind([[0.0, 2.0], [5.0, 0.0]])
    found = tiny_encoder.similarity(left, right)
    assert np.allclose(found, [[0.8, 0.6], [0.0, 1.0]])
    assert np.allclose(tiny_encoder.similarity_pairwise(left, right), [0.8, 1.0])
    assert np.allclose(tiny_encoder.similarity(left[0], right), [[0.8, 0.6]])


def test_half_precision_of_torch_is_widened():
    assert to_matrix(torch.tensor([1.0, 2.0], dtype=torch.bfloat16)).dtype == np.float32


def test_nothing_imports_mteb_before_it_is_needed():
    code = (
        "import sys, likewise, likewise.models, likewise.evaluation; from likewise.cli import eval;"
        "sys.exit('mteb' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_mteb_the_extra_is_named(tiny_encoder, monkeypatch):
    for name in [*(n for n in sys.modules if n.split(".")[0] == "mteb"), "mteb"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match=r"likewise\[mteb\]"):
        _ = tiny_encoder.mteb_model_meta
    assert len(tiny_encoder.encode(["an apple"])) == 1
