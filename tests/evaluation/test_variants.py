"""The same model at other prices."""

import numpy as np
import pytest

from evaluation.conftest import random_vectors, scored_case
from likewise.errors import InputError
from likewise.evaluation import evaluate
from likewise.evaluation.variants import Variant, VariedModel, variants_of

TEXTS = ["people paint the apple", "a guide to repair any engine at home", "how do people clean"]


def test_fewer_dimensions_are_the_first_ones(tiny_encoder):
    whole = tiny_encoder.encode(TEXTS, precision="float32")
    cut = VariedModel(tiny_encoder, Variant(precision="float32", dimensions=5)).encode(TEXTS)
    np.testing.assert_array_equal(cut, whole[:, :5])


def test_binary_vectors_are_signs(tiny_encoder):
    whole = tiny_encoder.encode(TEXTS)
    bits = VariedModel(tiny_encoder, Variant(precision="binary", dimensions=8)).encode(TEXTS)
    np.testing.assert_array_equal(bits, np.where(whole[:, :8] > 0, 1, -1))


def test_precision_and_prompt_are_handed_on():
    class Model:
        def __init__(self):
            self.prompts = {"query": "ask: "}

        def encode(self, texts, **options):
            self.asked = options
            return random_vectors()(texts)

    model = Model()
    found = VariedModel(model, Variant(precision="bfloat16")).encode(TEXTS, prompt="ask: ")
    assert model.asked == {"precision": "bfloat16", "prompt": "ask: ", "progress": False}
    assert found.shape == (3, 8)


def test_a_cheaper_variant_is_measured_as_a_model_is(tiny_encoder):
    data = scored_case().data
    usual = evaluate(VariedModel(tiny_encoder, Variant()), data, resamples=100)
    assert usual.scores == evaluate(tiny_encoder, data, resamples=100).scores
    bits = evaluate(VariedModel(tiny_encoder, Variant(precision="binary")), data, resamples=100)
    assert bits.scores != usual.scores


def test_more_dimensions_than_there_are_are_refused(tiny_encoder):
    with pytest.raises(InputError, match="9999 dimensions are asked for, and the model has"):
        VariedModel(tiny_encoder, Variant(dimensions=9999))


def test_every_precision_with_every_width():
    found = variants_of(["float32", "int8"], [64, 32])
    assert [(one.precision, one.dimensions) for one in found] == [
        ("float32", 64), ("int8", 64), ("float32", 32), ("int8", 32),
    ]  # fmt: skip
    assert variants_of([], []) == [Variant()]
