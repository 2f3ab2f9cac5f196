import dataclasses

import pytest

from likewise.evaluation import EvaluatorSpec
from likewise.evaluation.similarity import evaluate_similarity


def test_a_spec_is_a_value_that_needs_no_baseline():
    spec = EvaluatorSpec(function=evaluate_similarity, kinds=("scored",))
    assert spec.baseline is None
    assert spec.pair_function is None
    assert not spec.baseline_shown
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.kinds = ()
