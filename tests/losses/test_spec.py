import pytest

from likewise.losses import LossSpec


def test_targets_are_not_embedded():
    spec = LossSpec(function=abs, roles=("sentence1", "sentence2", "score"))
    assert spec.text_roles == ("sentence1", "sentence2")


def test_a_loss_without_texts_is_refused():
    with pytest.raises(ValueError, match="no text among them"):
        LossSpec(function=abs, roles=("label",))
