import pytest
import torch
import transformers
from torch import nn

from likewise.errors import InputError
from likewise.models.architectures.names import from_checkpoint, to_checkpoint
from likewise.models.architectures.padded import PADDED
from likewise.text.packed import pack
from models.architectures.families import SIZES, VOCABULARY, draw_texts, make_theirs

OTHERS = {
    "albert": {**SIZES, "embedding_size": 16, "pad_token_id": 0},
    "deberta-v2": {**SIZES, "pad_token_id": 0, "relative_attention": True},
    "qwen3": {**SIZES, "num_key_value_heads": 3, "head_dim": 8},
}
T5_SIZES = {"d_model": 24, "d_ff": 40, "d_kv": 8, "num_layers": 2, "num_heads": 3}


@pytest.mark.parametrize("model_type", OTHERS)
def test_other_families_equal_transformers_too(model_type: str):
    config, theirs = make_theirs(model_type, OTHERS[model_type])
    ours = load(config, theirs)
    packed = pack(draw_texts((6, 1, 11)))
    is_token = torch.arange(11)[None, :] < packed.lengths[:, None]
    ids = torch.full(is_token.shape, config["pad_token_id"] or 0)
    ids[is_token] = packed.ids
    found = theirs(input_ids=ids, attention_mask=is_token.long()).last_hidden_state[is_token]
    torch.testing.assert_close(ours(packed), found, atol=1e-5, rtol=0)


def test_of_a_model_with_a_decoder_the_encoder_is_taken():
    config = transformers.T5Config(vocab_size=VOCABULARY, **T5_SIZES)
    theirs = transformers.T5EncoderModel(config).eval()
    ours = load(config.to_dict(), theirs)
    texts = draw_texts((7,))
    found = theirs(input_ids=torch.from_numpy(texts[0])[None]).last_hidden_state[0]
    torch.testing.assert_close(ours(pack(texts)), found, atol=1e-5, rtol=0)


def test_a_shared_weight_is_read_once_and_stays_shared():
    config = transformers.T5Config(vocab_size=VOCABULARY, **T5_SIZES).to_dict()
    theirs = transformers.T5EncoderModel(transformers.T5Config(**config))
    names = PADDED.names(config)
    assert "model.encoder.embed_tokens.weight" not in names
    ours = load(config, theirs)
    assert ours.model.shared.weight is ours.model.encoder.embed_tokens.weight
    found = to_checkpoint(ours.state_dict(), names)
    assert torch.equal(found["shared.weight"], theirs.state_dict()["shared.weight"])


def test_a_family_that_transformers_does_not_know_is_refused():
    with pytest.raises(InputError, match="made_up"):
        PADDED.build({"model_type": "made_up", "hidden_size": 24})


def test_code_of_the_model_s_own_is_never_run():
    config = {"model_type": "made_up", "auto_map": {"AutoModel": "modeling.Evil"}}
    with pytest.raises(InputError, match="never run"):
        PADDED.build(config)


def test_the_limit_leaves_out_positions_that_no_token_gets():
    roberta_like = {**SIZES, "model_type": "data2vec-text", "pad_token_id": 1}
    assert PADDED.most_tokens(roberta_like) == SIZES["max_position_embeddings"] - 2
    t5 = transformers.T5Config(vocab_size=VOCABULARY, **T5_SIZES).to_dict()
    assert PADDED.most_tokens(t5) == 1_000_000  # relative positions: no limit of its own


def load(config: dict[str, object], theirs: nn.Module) -> nn.Module:
    ours = PADDED.build(config)
    weights = {name: tensor.clone() for name, tensor in theirs.state_dict().items()}
    found, _, missing = from_checkpoint(weights, PADDED.names(config))
    assert missing == []
    ours.load_state_dict(found, assign=True)
    return ours.eval()
