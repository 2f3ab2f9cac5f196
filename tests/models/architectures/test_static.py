import torch
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer

from likewise.models.architectures import ARCHITECTURES
from likewise.models.architectures.static import MOST_TOKENS, STATIC, Static
from likewise.models.pooling import pool_mean
from likewise.text.packed import pack
from models.architectures.families import draw_texts, make_twins

CONFIG = {"vocab_size": 4, "hidden_size": 3}


def make_static() -> Static:
    model = Static(CONFIG)
    model.load_state_dict({"table": torch.arange(12.0).reshape(4, 3)})
    return model.eval()


def test_a_hidden_state_is_the_row_of_its_token():
    assert make_static()(pack([[2], [0, 2]])).tolist() == [[6, 7, 8], [0, 1, 2], [6, 7, 8]]


def test_the_id_behind_the_last_row_is_zero_and_has_no_gradient():
    model = make_static()
    hidden = model(pack([[1], [4]]))
    assert hidden[1].tolist() == [0, 0, 0]
    hidden[1].sum().backward()
    assert not model.table.grad.any()


def test_the_mean_of_the_rows_is_the_peer_s_vector(tiny_tokenizer: Tokenizer):
    twins = make_twins("static")
    peer = StaticEmbedding(tiny_tokenizer, embedding_weights=twins.ours.table.detach().clone())
    texts = draw_texts((5, 1, 9))
    packed = pack(texts)
    features = {"input_ids": packed.ids, "offsets": packed.starts[:-1]}
    expected = peer(features)["sentence_embedding"]
    torch.testing.assert_close(pool_mean(twins.ours(packed), packed), expected)


def test_there_is_no_place_in_the_text():
    model = make_static()
    assert torch.equal(model(pack([[3, 1]])).flip(0), model(pack([[1, 3]])))


def test_there_are_no_positions_to_run_out_of():
    assert STATIC.most_tokens(CONFIG) == MOST_TOKENS
    assert make_static()(pack([[1] * 5000])).shape == (5000, 3)


def test_only_a_table_has_a_rate_of_its_own():
    assert STATIC.learning_rate > 100 * 5e-5
    others = {a.learning_rate for name, a in ARCHITECTURES.items() if name != "static"}
    assert others == {5e-5}
