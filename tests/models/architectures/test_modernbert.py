import math

import pytest
import torch

from likewise.errors import InputError
from likewise.models.architectures.modernbert import (
    GLOBAL,
    LOCAL,
    layer_reaches,
    modernbert_names,
    rotate,
    rotation_base,
    window_bias,
)
from models.architectures.families import assert_same_as_transformers, make_twins


def test_a_quarter_turn_moves_the_first_half_into_the_second():
    x = torch.tensor([[[1.0, 2.0, 0.0, 0.0]]])
    quarter = torch.full((1, 4), math.pi / 2)
    turned = rotate(x, quarter.cos(), quarter.sin())
    torch.testing.assert_close(turned, torch.tensor([[[0.0, 0.0, 1.0, 2.0]]]))


def test_a_turn_keeps_lengths_and_dtype():
    x = torch.randn(5, 2, 8, generator=torch.Generator().manual_seed(0))
    angles = torch.linspace(0, 6, 5)[:, None] * torch.ones(1, 8)
    turned = rotate(x.bfloat16(), angles.cos(), angles.sin())
    assert turned.dtype == torch.bfloat16
    torch.testing.assert_close(turned.float().norm(dim=-1), x.norm(dim=-1), rtol=0.02, atol=0)


def test_the_window_is_open_on_both_sides_and_includes_its_border():
    bias = window_bias(2, torch.device("cpu"))(6)
    assert bias.shape == (1, 6, 6)
    assert (bias[0, 3] == 0).tolist() == [False, True, True, True, True, True]
    assert (bias[0, 0] == 0).tolist() == [True, True, True, False, False, False]


def test_a_window_shorter_than_the_padding_gives_no_nan_in_gradients():
    twins = make_twins("modernbert", local_attention=4)
    assert_same_as_transformers(twins, (40, 1, 39, 2, 20))


@pytest.mark.parametrize(
    "options",
    [
        {"norm_bias": True, "attention_bias": True, "mlp_bias": True},
        {"layer_types": [LOCAL, GLOBAL, LOCAL]},
        {"hidden_activation": "relu"},
        {"local_attention": 128},
    ],
    ids=lambda options: next(iter(options)),
)
def test_what_a_configuration_says_is_done(options: dict[str, object]):
    assert_same_as_transformers(make_twins("modernbert", **options), (40, 3, 170))


def test_both_ways_of_stating_the_rotations_mean_the_same():
    old = {"global_rope_theta": 90_000.0, "local_rope_theta": 500.0}
    new = {
        "rope_parameters": {
            GLOBAL: {"rope_type": "default", "rope_theta": 90_000.0},
            LOCAL: {"rope_type": "default", "rope_theta": 500.0},
        }
    }
    for config in (old, new):
        assert (rotation_base(config, GLOBAL), rotation_base(config, LOCAL)) == (90_000.0, 500.0)
    assert (rotation_base({}, GLOBAL), rotation_base({}, LOCAL)) == (160_000.0, 10_000.0)
    assert_same_as_transformers(make_twins("modernbert", **new), (40, 3))


def test_both_ways_of_stating_the_layers_mean_the_same():
    assert layer_reaches({"num_hidden_layers": 4}) == [GLOBAL, LOCAL, LOCAL, GLOBAL]
    old = {"num_hidden_layers": 3, "global_attn_every_n_layers": 2}
    assert layer_reaches(old) == [GLOBAL, LOCAL, GLOBAL]
    assert layer_reaches({"layer_types": [LOCAL]}) == [LOCAL]


def test_stretched_rotations_are_refused():
    config = {"rope_parameters": {GLOBAL: {"rope_type": "yarn", "factor": 4.0}}}
    with pytest.raises(InputError, match="yarn"):
        rotation_base(config, GLOBAL)


def test_the_first_layer_has_no_norm_before_its_attention():
    names = modernbert_names({"num_hidden_layers": 2})
    assert "layers.0.attention_norm.weight" not in names
    assert names["layers.1.attention_norm.weight"] == ("layers.1.attn_norm.weight",)
