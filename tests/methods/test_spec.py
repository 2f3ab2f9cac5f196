import dataclasses

import pytest

from likewise.methods import METHODS, MethodSpec


def test_a_spec_is_a_value():
    spec = METHODS["mnr"]
    assert spec == MethodSpec(function=spec.function, kinds=spec.kinds, summary=spec.summary)
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.kinds = ()
