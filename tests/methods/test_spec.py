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
