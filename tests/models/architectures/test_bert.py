from likewise.models.architectures.bert import BERT, bert_names
from likewise.text.packed import pack
from models.architectures.families import assert_same_as_transformers, draw_texts, make_twins


def test_another_activation_and_epsilon_are_taken_from_the_configuration():
    twins = make_twins("bert", hidden_act="gelu_new", layer_norm_eps=1e-3)
    assert_same_as_transformers(twins, (3, 12))


def test_every_token_is_of_the_first_segment():
    twins = make_twins("bert")
    twins.ours(pack(draw_texts((4,)))).sum().backward()
    first, second = twins.ours.segments.grad
    assert first.any()
    assert not second.any()


def test_queries_keys_and_values_are_fused_in_that_order():
    names = bert_names({"num_hidden_layers": 1})
    assert names["layers.0.attention.qkv.weight"] == (
        "encoder.layer.0.attention.self.query.weight",
        "encoder.layer.0.attention.self.key.weight",
        "encoder.layer.0.attention.self.value.weight",
    )


def test_a_pooler_is_left_over_and_kept():
    twins = make_twins("bert")
    assert sorted(twins.left_over) == ["pooler.dense.bias", "pooler.dense.weight"]


def test_every_position_is_a_token():
    assert BERT.most_tokens({"max_position_embeddings": 512}) == 512
