import pytest
import torch
from torch import nn

from likewise.errors import InputError, Where
from likewise.models.activations import (
    KINDS,
    activate,
    activation_path,
    default_activation,
    find_score_activation,
)

NAMES = [kind.__name__.lower() for kind in KINDS]
LOGITS = torch.tensor([[-2.0, 0.5, 3.0], [0.0, 1.0, -1.0]])


@pytest.mark.parametrize("name", NAMES)
def test_a_name_has_a_path_that_the_peer_imports_and_back(name: str):
    path = activation_path(name)
    module, _, kind = path.rpartition(".")
    assert getattr(__import__(module, fromlist=[kind]), kind).__name__.lower() == name
    assert find_score_activation(path) == name
    assert find_score_activation(f"torch.nn.{kind}") == name
    assert find_score_activation(name) == name


@pytest.mark.parametrize(
    ("name", "kind"),
    [("sigmoid", nn.Sigmoid()), ("identity", nn.Identity()), ("softmax", nn.Softmax(dim=-1))],
)
def test_scores_are_those_of_torch(name: str, kind: nn.Module):
    assert torch.equal(activate(LOGITS, name), kind(LOGITS))


def test_one_logit_becomes_a_probability_and_several_stay():
    assert default_activation(1) == "sigmoid"
    assert default_activation(3) == "identity"


@pytest.mark.parametrize(
    "name",
    ["mymodel.Evil", "os.system", "torch.load", "torch.nn.modules.linear.Linear", "Sigmoid", ""],
)
def test_what_is_no_activation_of_torch_is_refused_by_name(name: str):
    with pytest.raises(InputError, match=f'the activation "{name}" is not supported') as caught:
        find_score_activation(name, where=Where(path="folder/config.json"))
    assert "sigmoid" in caught.value.mend
    assert "folder/config.json" in str(caught.value)


def test_the_softmax_over_one_class_is_refused():
    with pytest.raises(InputError, match="always 1"):
        activate(LOGITS[:, :1], "softmax")
