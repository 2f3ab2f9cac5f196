import pytest
import torch
from torch import nn

from likewise.errors import InputError
from likewise.models.checkpoint_weights import copy_weights, fill_weights, fingerprint_weights

NAMES = {"weight": ("q.weight", "k.weight"), "bias": ("bias",)}


def checkpoint() -> dict[str, torch.Tensor]:
    return {
        "q.weight": torch.ones(1, 3),
        "k.weight": 2 * torch.ones(1, 3),
        "bias": torch.tensor([5.0, 6.0]),
        "pooler": torch.zeros(4),
    }


def test_a_module_gets_the_weights_under_its_own_names_and_the_rest_comes_back():
    module = nn.Linear(3, 2)
    unused = fill_weights(module, checkpoint(), NAMES, where="folder")
    assert module.weight.tolist() == [[1.0] * 3, [2.0] * 3]
    assert module.bias.tolist() == [5.0, 6.0]
    assert list(unused) == ["pooler"]


def test_a_missing_weight_is_named_with_its_file():
    weights = checkpoint()
    del weights["k.weight"]
    with pytest.raises(InputError, match=r"folder/model\.safetensors.*the first is k\.weight"):
        fill_weights(nn.Linear(3, 2), weights, NAMES, where="folder")


def test_another_shape_than_the_configuration_has_is_named():
    module = nn.Linear(3, 2)
    before = module.weight.clone()
    weights = {**checkpoint(), "bias": torch.zeros(7)}
    with pytest.raises(InputError, match=r"bias has shape \[7\], config\.json says \[2\]"):
        fill_weights(module, weights, NAMES, where="folder")
    assert torch.equal(module.weight, before)


def test_weights_are_copied_into_the_tensors_that_are_there():
    module, source = nn.Linear(3, 2), nn.Linear(3, 2)
    held = module.weight
    copy_weights(module, source)
    assert module.weight is held
    assert torch.equal(held, source.weight)
    assert held.data_ptr() != source.weight.data_ptr()


def test_the_fingerprint_of_weights_follows_names_and_values():
    a, b = torch.ones(2), torch.zeros(3)
    prints = [
        fingerprint_weights(weights)
        for weights in ({"a": a, "b": b}, {"a": a, "c": b}, {"a": a + 1e-6, "b": b})
    ]
    assert len(set(prints)) == 3
    assert fingerprint_weights({"b": b, "a": a}) == prints[0]
