"""The one table of what to try first: its methods exist, and take what they are offered for."""

import pytest

from likewise.methods import METHODS
from likewise.methods.ranking import LABELLED, TEXTS, Choice

OFFERED = [(kind, choice) for kind, choices in LABELLED.items() for choice in choices]
OFFERED += [("texts", choice) for choices in TEXTS.values() for choice in choices]


@pytest.mark.parametrize(("kind", "choice"), OFFERED, ids=lambda part: str(part)[:30])
def test_a_choice_takes_the_kind_and_says_why(kind: str, choice: Choice):
    assert kind in METHODS[choice.method].kinds
    assert choice.reason
    assert not choice.reason.endswith(".")


@pytest.mark.parametrize("choices", [*TEXTS.values(), *LABELLED.values()])
def test_something_can_always_be_done_at_once_and_nothing_stands_twice(choices):
    assert any(not choice.needs for choice in choices)
    assert len({choice.method for choice in choices}) == len(choices)


def test_every_method_that_is_for_plain_texts_alone_is_offered():
    """But mse, a loss by its name: it needs a guide, whatever the data is."""
    offered = {choice.method for choices in TEXTS.values() for choice in choices}
    plain = {name for name, spec in METHODS.items() if spec.kinds[0] == "texts"}
    assert offered == plain - {"mse"}
