import dataclasses

import pytest

from likewise.methods import METHODS, MethodSpec


def test_a_spec_is_a_value():
    spec = METHODS["mnr"]
    same = {"kinds": spec.kinds, "summary": spec.summary, "contrastive": True}
    assert spec == MethodSpec(function=spec.function, **same)
    assert spec != MethodSpec(function=spec.function, **same, makes="cross-encoder")
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.kinds = ()


@pytest.mark.parametrize(
    ("method", "kind", "options", "labels"),
    [
        ("mnr", "nli", {}, 50),
        ("softmax", "nli", {}, 50),
        ("augmented", "scored", {"gold_fraction": 0.2}, 10),
        ("augmented", "nli", {}, 50),
        ("augmented", "labelled", {"teacher": "cross"}, 0),
        ("tsdae", "nli", {}, 0),
        ("simcse", "nli", {}, 50),
        ("simcse", "nli", {"views": "crop"}, 0),
        ("simcse", "scored", {}, 0),
        ("mnr", "texts", {}, 0),
    ],
)
def test_labels_are_those_that_a_method_learns_from(method, kind, options, labels):
    assert METHODS[method].labels_of(kind, options, 50) == labels
