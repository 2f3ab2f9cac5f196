import torch

from likewise.models.architectures.distilbert import DISTILBERT, distilbert_names
from models.architectures.families import assert_same_as_transformers, make_twins


def test_another_activation_is_taken_from_the_configuration():
    assert_same_as_transformers(make_twins("distilbert", activation="relu"), (3, 12))


def test_the_output_of_attention_is_not_dropped():
    twins = make_twins("distilbert", dropout=0.5, attention_dropout=0.0)
    layer = twins.ours.layers[0].train()
    seen = []
    layer.attention_norm.register_forward_hook(lambda module, given, out: seen.append(given[0]))
    twins.ours.dropout = 0.0  # no other draw before or behind it
    for seed in (1, 2):
        torch.manual_seed(seed)
        twins.hidden([torch.arange(3, 9).numpy()])
    assert torch.equal(seen[0], seen[1])


def test_queries_keys_and_values_are_fused_in_that_order():
    names = distilbert_names({"n_layers": 1})
    assert names["layers.0.attention.qkv.bias"] == (
        "transformer.layer.0.attention.q_lin.bias",
        "transformer.layer.0.attention.k_lin.bias",
        "transformer.layer.0.attention.v_lin.bias",
    )


def test_every_position_is_a_token():
    assert DISTILBERT.most_tokens({"max_position_embeddings": 512}) == 512
